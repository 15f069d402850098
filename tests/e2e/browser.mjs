// A browser that is told by lines of JSON on standard input what to do and answers on standard output.
//   { id, page, open: URL, profile: {} } a page of its own profile: viewport, colorScheme, ... of playwright's newContext
//   { id, page, run: SOURCE }            the value of a JavaScript expression in it; promises are waited for
//   { id, page, look: SOURCE }           the same outside of the page's policy (CSP); nothing that takes long
//   { id, page, act: NAME, at: SELECTOR, with: [...] }
//                                        a method of playwright's Locator, or without `at` of its Page or keyboard
//   { id, page, effort: true }           seconds of processor time its main thread has used since the first of these
//   { id, page, requests: true }         the addresses the page has asked so far
//   { id, page, console: true }          the warnings and errors the page has printed so far
//   { id, page, close: true }
// answers: { id, value } or { id, error }. Ends with its input.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--auto-select-desktop-capture-source=Entire screen',
  '--autoplay-policy=no-user-gesture-required',
  // ICE to bridges on 127.0.0.1.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--allow-loopback-in-peer-connection',
  // Three pages at once, none of them in front.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding'
];

const browser = await chromium.launch({
  executablePath: process.env.BASCULE_CHROMIUM || '/usr/bin/chromium',
  args: FLAGS,
  chromiumSandbox: process.getuid() !== 0
});
const pages = new Map(); // name -> { page, complaints, requests }

async function open(name, url, profile) {
  const context = await browser.newContext(profile);
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on('request', request => requests.push(request.url()));
  page.on('dialog', dialog => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', message => {
    if (message.type() === 'warning' || message.type() === 'error') {
      complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', error => complaints.push(`uncaught: ${error.stack || error}`));
  page.on('crash', () => complaints.push('the page crashed'));
  await page.exposeFunction('report', say);
  pages.set(name, { page, complaints, requests });
  await page.goto(url);
}

/**
 * In the page. What takes long is reported by a call of ours: a promise the browser itself waits for on behalf of the
 * protocol is now and then garbage collected ("Promise was collected").
 */
function run({ id, source }) {
  Promise.resolve().then(() => (0, eval)(source)).then(
    value => report({ id, value: value === undefined ? null : value }),
    error => report({ id, error: String(error) }));
}

const efforts = new Map(); // page -> session of the DevTools protocol

async function effort(page) {
  if (!efforts.has(page)) {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    efforts.set(page, session);
  }
  const { metrics } = await efforts.get(page).send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value;
}

async function act(page, { act: name, at, with: given = [] }) {
  const target = at ? page.locator(at) : name in page.keyboard ? page.keyboard : page;
  const value = await target[name](...given);
  return ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value) ? value : null;
}

async function obey(order) {
  if (order.open) {
    return open(order.page, order.open, order.profile);
  }
  const { page, complaints, requests } = pages.get(order.page);
  if (order.run) {
    return page.evaluate(run, { id: order.id, source: order.run });
  }
  if (order.look) {
    return page.evaluate(order.look);
  }
  if (order.act) {
    return act(page, order);
  }
  if (order.effort) {
    return effort(page);
  }
  if (order.requests) {
    return requests;
  }
  if (order.close) {
    pages.delete(order.page);
    return page.context().close();
  }
  return complaints;
}

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

say({ id: 0, value: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  obey(order).then(value => order.run || say({ id: order.id, value: value === undefined ? null : value }),
    error => say({ id: order.id, error: String(error.message || error) }));
}
await browser.close();
