// Questions. A modal <dialog> holds the focus, closes with Esc and gives the focus back; all of that is the browser's.

import { h } from './dom.js';

let number = 0;

/** Resolves to true when the button `label` was used, to false when the question was closed in any other way. */
export function openDialog({ title, content, label, danger = false }) {
  return new Promise(resolve => {
    let accepted = false;
    const heading = `dialog-title-${++number}`;
    const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, label ? 'Cancel' : 'Close');
    const form = h('form', {
      onsubmit: event => {
        event.preventDefault();
        accepted = true;
        dialog.close();
      }
    }, h('h2', { id: heading }, title), content,
    h('div', { class: 'buttons' }, cancel,
      label && h('button', { type: 'submit', class: danger ? 'primary danger' : 'primary' }, label)));
    const dialog = h('dialog', { 'aria-labelledby': heading }, form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(accepted);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A short word about what was done or failed, read out by screen readers; it goes by itself or with the next one. */
export function say(text, kind = 'info') {
  const place = document.getElementById('notices');
  const notice = h('p', { class: `notice ${kind}` }, text,
    h('button', { type: 'button', class: 'close', 'aria-label': 'Dismiss', onclick: () => notice.remove() }, '×'));
  place.replaceChildren(notice);
  if (kind !== 'bad') {
    setTimeout(() => notice.remove(), 8000);
  }
}
