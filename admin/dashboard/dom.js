// Elements made from data. Names of rooms and people are strangers' input: text goes in as text nodes, never as markup.

import { visible } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
      continue;
    }
    if (name === 'href' && !String(value).startsWith('#')) {
      throw new Error(`links lead to places of this page only, not to ${value}`);
    }
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false));
  return element;
}

/** An HTML element. Attributes that are false, null or undefined are left out; `onclick` and the like listen. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Writes only what changed: selections and screen readers are left alone. */
export function setText(element, text) {
  if (element.textContent !== String(text)) {
    element.textContent = text;
  }
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value === true ? '' : value);
  }
}

const lists = new WeakMap(); // parent -> Map of key -> entry

/**
 * Makes the children of `parent` those of `items`, in order. An entry { element, update(item) } is made once per key by
 * `create` and kept, with its focus, as long as the key is there. `keepOrder` leaves those who are there where they are.
 */
export function syncList(parent, items, keyOf, create, keepOrder = false) {
  const before = lists.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const entry = before.get(key) ?? create(item);
    entry.update(item);
    after.set(key, entry);
  }
  for (const [key, entry] of before) {
    if (!after.has(key)) {
      entry.element.remove();
    }
  }
  let place = parent.firstElementChild;
  for (const entry of after.values()) {
    if (keepOrder && entry.element.parentNode === parent) {
      continue;
    }
    if (entry.element === place) {
      place = place.nextElementSibling;
    } else {
      parent.insertBefore(entry.element, keepOrder ? null : place);
    }
  }
  lists.set(parent, after);
}

let panels = 0;

/** A part of a page with its heading; `tools` are at the right of it. */
export function panel(title, { tools = [], className = '' } = {}, ...content) {
  const id = `panel-${++panels}`;
  return h('section', { class: `panel ${className}`, 'aria-labelledby': id },
    h('header', {}, h('h2', { id }, title), h('span', { class: 'tools' }, tools)), content);
}

/** An input to search or filter with; `label` is what it is for. */
export const searchInput = (label, oninput, value = '') =>
  h('input', { type: 'search', placeholder: label, 'aria-label': label, oninput, value });

/** A name that somebody chose: on its own, whatever direction it is written in. */
export function named(text, attributes = {}) {
  return h('bdi', { class: 'name', ...attributes, title: visible(attributes.title ?? text) }, visible(text));
}
