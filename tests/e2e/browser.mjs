// A browser that is told by lines of JSON on standard input what to do and answers on standard output.
//   { id, page, open: URL }              a page of its own profile
//   { id, page, run: SOURCE }            the value of a JavaScript expression in it; promises are waited for
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
const pages = new Map(); // name -> { page, complaints }

async function open(name, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on('console', message => {
    if (message.type() === 'warning' || message.type() === 'error') {
      complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', error => complaints.push(`uncaught: ${error.stack || error}`));
  page.on('crash', () => complaints.push('the page crashed'));
  await page.exposeFunction('report', say);
  pages.set(name, { page, complaints });
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

async function obey(order) {
  if (order.open) {
    return open(order.page, order.open);
  }
  const { page, complaints } = pages.get(order.page);
  if (order.run) {
    return page.evaluate(run, { id: order.id, source: order.run });
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
