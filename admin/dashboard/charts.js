// Our charts, as SVG: a sparkline, the strip of the whole fleet, and a chart over time.

import { loadLevel } from './bridge_state.js';
import { h, setAttribute, setText, svg } from './dom.js';
import { clock, hourMinute, known } from './format.js';

/** `M x y L x y ...` through the values that are known; a gap where none is. `x` and `y` place an index and a value. */
function path(values, x, y) {
  let text = '';
  let pen = 'M';
  values.forEach((value, index) => {
    if (!known(value)) {
      pen = 'M';
      return;
    }
    text += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
    if (!known(values[index - 1]) && !known(values[index + 1])) {
      text += 'h0.1'; // A value alone is a dot: line caps are round.
    }
  });
  return text;
}

const SPARK = { width: 120, height: 28, pad: 2, minutes: 60 };

/** The last hour of one bridge on the scale 0 to 100 %, or to the highest value, with its limit. */
export function sparkline() {
  const limitLine = svg('line', { class: 'limit', x1: 0, x2: SPARK.width });
  const line = svg('path', { class: 'line' });
  const element = svg('svg', {
    class: 'spark', viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'
  }, limitLine, line);
  let drawn = '';
  return {
    element,
    /** `history`, then what is now; drawn anew when that would be seen. */
    update(history, now, limit) {
      const seen = `${history.length} ${history[0]} ${history.at(-1)} ${now?.toFixed(2)} ${limit}`;
      if (seen === drawn) {
        return;
      }
      drawn = seen;
      const unknown = new Array(Math.max(0, SPARK.minutes - history.length)).fill(null); // Now is at the right.
      const values = [...unknown, ...history, now];
      const top = Math.max(1, ...values.filter(known));
      const y = share => SPARK.height - SPARK.pad - share / top * (SPARK.height - 2 * SPARK.pad);
      const step = SPARK.width / Math.max(1, values.length - 1);
      setAttribute(line, 'd', path(values, index => index * step, y));
      setAttribute(limitLine, 'y1', known(limit) ? y(limit).toFixed(1) : -9);
      setAttribute(limitLine, 'y2', known(limit) ? y(limit).toFixed(1) : -9);
    }
  };
}

/** A bar of 0 to 100 % with a mark at the limit. */
export function loadBar() {
  const fillElement = h('span', { class: 'fill' });
  const mark = h('span', { class: 'mark' });
  const element = h('span', { class: 'bar', 'aria-hidden': 'true' }, fillElement, mark);
  return {
    element,
    update(share, limit) {
      const at = value => `${(Math.min(1, Math.max(0, value)) * 100).toFixed(1)}%`;
      fillElement.style.setProperty('width', at(share ?? 0));
      mark.style.setProperty('left', at(limit ?? 1));
      mark.hidden = !known(limit);
      setAttribute(element, 'data-level', loadLevel(share, limit));
    }
  };
}

const STRIP = { height: 64 };

/** Every bridge as one column in order of its load, with the limits: the shape of the fleet. */
export function fleetStrip() {
  const element = svg('svg', { class: 'strip', preserveAspectRatio: 'none', role: 'img' });
  return {
    element,
    update(bridges, label) {
      const sorted = [...bridges].sort((a, b) => b.expected - a.expected);
      const top = Math.max(1, ...sorted.map(bridge => bridge.expected));
      const y = share => STRIP.height * (1 - share / top);
      setAttribute(element, 'viewBox', `0 0 ${sorted.length * 4} ${STRIP.height}`);
      setAttribute(element, 'aria-label', label);
      const bars = { ok: '', near: '', over: '', off: '' };
      let limits = '';
      sorted.forEach((bridge, index) => {
        const usable = bridge.present && bridge.state !== 'failed' && bridge.flags.length === 0;
        const level = usable ? loadLevel(bridge.expected, bridge.limit) : 'off';
        bars[level] += `M${index * 4 + 0.4} ${STRIP.height}V${y(bridge.expected).toFixed(1)}h3.2V${STRIP.height}z`;
        limits += `M${index * 4} ${y(bridge.limit).toFixed(1)}h4`;
      });
      const shapes = Object.entries({ ...bars, limit: limits });
      element.replaceChildren(...shapes.map(([name, d]) => svg('path', { class: name, d })));
    }
  };
}

const CHART = { left: 44, right: 10, top: 10, bottom: 22 };

/** A round step of an axis, so that about `wanted` of them reach `top`. */
function niceStep(top, wanted) {
  const raw = top / wanted;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map(factor => factor * magnitude).find(step => step >= raw);
}

/** Marks of the time axis: whole minutes or hours of the local clock, at most about one per 90 pixels. */
function timeMarks(from, to, width) {
  const minutes = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720].find(
    each => (to - from) / 60_000 / each <= Math.max(2, width / 90)) ?? 1440;
  const step = minutes * 60_000;
  const zone = new Date(from).getTimezoneOffset() * 60_000;
  const marks = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    marks.push(at);
  }
  return marks;
}

/**
 * A chart over time, as wide as its place. update({ from, to, times, series: [{ label, values, className }], limit, format,
 * least, label }): times are milliseconds, `least` is the smallest top of the scale, `format` makes text of a value.
 * What is under the pointer, or chosen by the arrow keys, is read out below.
 */
export function timeChart(height = 180) {
  const picture = svg('svg', { role: 'img', height });
  const readout = h('p', { class: 'readout', 'aria-live': 'polite' });
  const legend = h('p', { class: 'legend' });
  const element = h('figure', { class: 'chart', tabindex: 0 }, legend, picture, readout);
  let data = null;
  let chosen = null;
  let place = null; // { x(index), width } of what is drawn

  function draw() {
    const width = Math.max(240, Math.round(element.clientWidth || 600));
    if (!data || data.times.length === 0) {
      picture.replaceChildren(svg('text', { class: 'axis', x: width / 2, y: height / 2, 'text-anchor': 'middle' },
        data ? 'Nothing is recorded for this time.' : 'Reading…'));
      picture.setAttribute('width', width);
      return;
    }
    const { from, to } = data;
    const top = Math.max(data.least, data.limit ?? 0, ...data.series.flatMap(each => each.values.filter(known))) * 1.05;
    const inner = { width: width - CHART.left - CHART.right, height: height - CHART.top - CHART.bottom };
    const xOf = at => CHART.left + (at - from) / (to - from) * inner.width;
    const y = value => CHART.top + (1 - value / top) * inner.height;
    place = { x: index => xOf(data.times[index]), width };
    const level = (name, value) =>
      svg('line', { class: name, x1: CHART.left, x2: width - CHART.right, y1: y(value), y2: y(value) });
    const parts = [];
    const step = niceStep(top, 4);
    for (let value = 0; value <= top; value += step) {
      parts.push(level('grid', value),
        svg('text', { class: 'axis', x: CHART.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, data.format(value)));
    }
    for (const at of timeMarks(from, to, inner.width)) {
      parts.push(svg('text', { class: 'axis', x: xOf(at), y: height - 5, 'text-anchor': 'middle' }, hourMinute(at)));
    }
    if (known(data.limit)) {
      parts.push(level('limit', data.limit));
    }
    for (const each of data.series) {
      parts.push(svg('path', { class: `line ${each.className}`, d: path(each.values, place.x, y) }));
    }
    parts.push(svg('line', { class: 'cursor', y1: CHART.top, y2: CHART.top + inner.height }));
    picture.setAttribute('width', width);
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.replaceChildren(...parts);
    choose(chosen);
  }

  function choose(index) {
    chosen = index;
    const cursor = picture.querySelector('.cursor');
    if (index === null || !data?.times[index] || !cursor) {
      cursor?.setAttribute('visibility', 'hidden');
      setText(readout, '\u00a0');
      return;
    }
    cursor.setAttribute('visibility', 'visible');
    cursor.setAttribute('x1', place.x(index));
    cursor.setAttribute('x2', place.x(index));
    setText(readout, `${clock(data.times[index])}: ${data.series.map(
      each => `${each.label} ${data.format(each.values[index])}`).join(', ')}`);
  }

  picture.addEventListener('pointermove', event => {
    if (data?.times.length && place) {
      const x = event.clientX - picture.getBoundingClientRect().left;
      const distance = index => Math.abs(place.x(index) - x);
      choose(data.times.reduce((best, _, index) => (distance(index) < distance(best) ? index : best), 0));
    }
  });
  picture.addEventListener('pointerleave', () => choose(null));
  element.addEventListener('blur', () => choose(null));
  element.addEventListener('keydown', event => {
    const last = (data?.times.length ?? 0) - 1;
    const next = { ArrowLeft: (chosen ?? last + 1) - 1, ArrowRight: (chosen ?? -1) + 1, Home: 0, End: last }[event.key];
    if (next !== undefined && last >= 0) {
      event.preventDefault();
      choose(Math.min(last, Math.max(0, next)));
    }
  });
  const watcher = new ResizeObserver(draw);
  watcher.observe(element);
  return {
    element,
    update(given) {
      data = given;
      element.setAttribute('aria-label', `${data.label}. Left and right arrow keys read single values.`);
      legend.replaceChildren(...data.series.map(each => h('span', { class: `key ${each.className}` }, each.label)),
        known(data.limit) ? h('span', { class: 'key limit' }, `limit ${data.format(data.limit)}`) : '');
      draw();
    },
    close: () => watcher.disconnect()
  };
}

