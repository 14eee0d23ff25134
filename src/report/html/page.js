"use strict";
// Sorts, filters and finds rows, and draws a benchmark when it is opened. Every text from outside is set as text, never as HTML, and
// every number comes written and placed from the report itself.
(() => {
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const { labels, rows } = JSON.parse($("data").textContent);
  const table = $("table");
  const bodies = table ? [...table.tBodies] : [];
  const KEYS = { verdict: 0, base: 1, head: 2, change: 3, margin: 4, rounds: 5 };
  // More rows than this are not all opened for paper: then only those to look at are.
  const MOST_PRINTED = 200;
  const PLAIN = ["unchanged", "identical"];

  const element = (tag, attributes = {}, text = null, parent = null) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== null) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
  // What stands between backticks is code.
  const prose = (parent, text) => text.split("`").forEach((part, at, parts) => {
    if (at % 2 && at < parts.length - 1) element("code", {}, part, parent);
    else parent.append(((at % 2 ? "`" : "") + part).replaceAll(" %", "\u00a0%"));
  });
  const drawn = (tag, attributes, parent, text = null) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== null) made.textContent = text;
    parent.append(made);
    return made;
  };

  // --- what the address says ---
  const wanted = { verdict: new Set(), search: "", benchmark: "", sort: "verdict", down: false };
  const read = () => {
    const hash = new URLSearchParams(location.hash.slice(1));
    wanted.verdict = new Set((hash.get("verdict") ?? "").split(",").filter(Boolean));
    wanted.search = hash.get("search") ?? "";
    wanted.benchmark = hash.get("benchmark") ?? "";
    const [key, way] = (hash.get("sort") ?? "verdict").split(" ");
    const known = key === "benchmark" || Object.hasOwn(KEYS, key);
    wanted.sort = known ? key : "verdict";
    wanted.down = known && way === "down";
  };
  const address = (benchmark) => {
    const hash = new URLSearchParams();
    if (wanted.verdict.size) hash.set("verdict", [...wanted.verdict].join(","));
    if (wanted.search) hash.set("search", wanted.search);
    if (wanted.sort !== "verdict" || wanted.down) hash.set("sort", wanted.sort + (wanted.down ? " down" : ""));
    if (benchmark) hash.set("benchmark", benchmark);
    return `#${hash}`;
  };
  const write = () => {
    try { history.replaceState(null, "", address(wanted.benchmark)); } catch { /* Some readers of files allow no addresses. */ }
  };

  // --- sort, filter, find ---
  const index = (body) => Number(body.dataset.row);
  const order = () => {
    const way = wanted.down ? -1 : 1;
    const key = KEYS[wanted.sort];
    const compare = (a, b) => {
      if (key === undefined) return way * rows[a].n.localeCompare(rows[b].n, "en", { numeric: true });
      const [left, right] = [rows[a].k[key], rows[b].k[key]];
      // What has no number stands last, whichever way the others stand.
      if (left === null || right === null) return (left === null) - (right === null);
      return way * (left - right);
    };
    const sorted = [...bodies].sort((a, b) => compare(index(a), index(b)) || index(a) - index(b));
    if (sorted.some((body, at) => table.tBodies[at] !== body)) table.append(...sorted);
    table.tHead.querySelectorAll("th").forEach((cell) => {
      const mine = cell.querySelector("button")?.dataset.sort === wanted.sort;
      if (mine) cell.setAttribute("aria-sort", wanted.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  };
  const filter = () => {
    const words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    bodies.forEach((body) => {
      const name = rows[index(body)].n.toLowerCase();
      const fits = (!wanted.verdict.size || wanted.verdict.has(body.classList[0])) && words.every((word) => name.includes(word));
      body.hidden = !fits;
      if (fits) shown += 1;
    });
    const all = bodies.length.toLocaleString("en");
    const count = shown === bodies.length ? `${all} ${bodies.length === 1 ? "row" : "rows"}` : `${shown.toLocaleString("en")} of ${all} rows`;
    if ($("shown").textContent !== count) $("shown").textContent = count;
    $("none").hidden = shown > 0;
    document.querySelectorAll(".chip").forEach((chip) => chip.setAttribute("aria-pressed", String(wanted.verdict.has(chip.dataset.verdict))));
    if ($("search").value !== wanted.search) $("search").value = wanted.search;
  };

  // --- plots: positions run from 0 to 1000 ---
  const W = 400, H = 190, LEFT = 52, RIGHT = 10, TOP = 12, BOTTOM = 20;
  const figure = (title, words, parent) => {
    const box = element("figure", {}, null, parent);
    const caption = element("figcaption", {}, null, box);
    element("strong", {}, title, caption);
    const legend = element("span", { class: "legend" }, null, caption);
    const plot = drawn("svg", { class: "plot", viewBox: `0 0 ${W} ${H}`, role: "img" }, box);
    drawn("title", {}, plot, title);
    drawn("desc", {}, plot, words);
    return { plot, legend };
  };
  const key = (legend, kind, name) => {
    const item = element("span", {}, null, legend);
    const sign = drawn("svg", { class: "key", viewBox: "0 0 22 8", "aria-hidden": "true" }, item);
    drawn("path", { class: kind, d: kind.startsWith("points") ? "M11 4h0" : "M1 4H21" }, sign);
    item.append(name);
  };
  const timeline = (data, row, parent) => {
    const { plot, legend } = figure(`${data.u[0].toUpperCase()}${data.u.slice(1)} in time order`, data.t, parent);
    const x = (at) => LEFT + 6 + ((W - LEFT - RIGHT - 12) * (at + 0.5)) / data.v.length;
    const y = (at) => TOP + ((1000 - at) / 1000) * (H - TOP - BOTTOM);
    let begin = 0;
    let blocks = "";
    data.b.forEach((length, at) => {
      if (at % 2) blocks += `M${x(begin - 0.5).toFixed(1)} ${TOP}H${x(begin + length - 0.5).toFixed(1)}V${H - BOTTOM}H${x(begin - 0.5).toFixed(1)}z`;
      begin += length;
    });
    drawn("path", { class: "block", d: blocks }, plot);
    drawn("path", { class: "grid", d: data.y.map(([at]) => `M${LEFT} ${y(at)}H${W - RIGHT}`).join("") }, plot);
    data.y.forEach(([at, label]) => drawn("text", { x: LEFT - 6, y: y(at) + 4, "text-anchor": "end" }, plot, label));
    const [base, head] = data.m;
    const names = [["base", base, row.f[0]], ["head", head, row.f[1]]].filter(([, at]) => at !== null);
    names.forEach(([side, at]) => drawn("path", { class: `level ${side}`, d: `M${LEFT} ${y(at)}H${W - RIGHT}` }, plot));
    ["b", "h"].forEach((side) => {
      let path = "";
      data.v.forEach((at, place) => { if (data.w[place] === side) path += `M${x(place).toFixed(1)} ${y(at).toFixed(1)}h0`; });
      if (!path) return;
      const name = side === "b" ? "base" : "head";
      drawn("path", { class: `points ${name}`, d: path }, plot);
      key(legend, `points ${name}`, `${name} ${side === "b" ? row.f[0] : row.f[1]}`);
    });
    const many = data.b.length ? `${data.v.length} ${data.u} in ${data.b.length} ${data.b.length === 1 ? "block" : "blocks"}` : "thinned to the extremes of each stretch";
    drawn("text", { x: LEFT, y: H - 5 }, plot, many + (data.o ? `, ${data.o} beyond the scale` : ""));
  };
  const spread = (data, row, parent) => {
    const { plot, legend } = figure("Distributions and the change", `${data.t}; ${data.d}`, parent);
    const FLOOR = H - BOTTOM - 26;
    const x = (at) => LEFT + (at / 1000) * (W - LEFT - RIGHT);
    const y = (share) => FLOOR - share * (FLOOR - TOP);
    const [low, high] = data.g;
    drawn("path", { class: "band", d: `M${x(low)} ${TOP}H${x(high)}V${H - BOTTOM}H${x(low)}z` }, plot);
    drawn("path", { class: "grid", d: `M${LEFT} ${y(0)}H${W - RIGHT}M${LEFT} ${y(0.5)}H${W - RIGHT}M${LEFT} ${y(1)}H${W - RIGHT}` }, plot);
    drawn("path", { class: "zero", d: `M${x(data.z)} ${TOP}V${H - BOTTOM}` }, plot);
    [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]].forEach(([share, label]) => drawn("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, plot, label));
    data.y.forEach(([at, label]) => drawn("text", { x: x(at), y: H - 5, "text-anchor": at > 960 ? "end" : at < 40 ? "start" : "middle" }, plot, label));
    ["b", "h"].forEach((side, which) => {
      const values = data.e ? data.e[which] : data.v.filter((_, at) => data.w[at] === side).sort((a, b) => a - b);
      if (values.length === 0) return;
      let path = `M${LEFT} ${y(0)}`;
      values.forEach((at, place) => { path += `H${x(at).toFixed(1)}V${y((place + 1) / values.length).toFixed(1)}`; });
      const name = side === "b" ? "base" : "head";
      drawn("path", { class: `line ${name}`, d: `${path}H${W - RIGHT}` }, plot);
      key(legend, `line ${name}`, name);
    });
    if (!data.c) return;
    const [lower, estimate, upper] = data.c;
    const at = H - BOTTOM - 13;
    const [from, to] = [lower === null ? LEFT : x(lower), upper === null ? W - RIGHT : x(upper)];
    const cap = (end) => `M${end} ${at - 4}v8`;
    drawn("path", { class: "range", d: `M${from} ${at}H${to}${lower === null ? "" : cap(from)}${upper === null ? "" : cap(to)}` }, plot);
    if (lower === null) drawn("path", { class: "far", d: `M${LEFT} ${at}l7 -5v10z` }, plot);
    if (upper === null) drawn("path", { class: "far", d: `M${W - RIGHT} ${at}l-7 -5v10z` }, plot);
    drawn("path", { class: "estimate", d: `M${x(estimate)} ${at - 5}l5 5l-5 5l-5 -5z` }, plot);
    drawn("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, plot, "change");
  };
  const copying = (parent, command) => {
    const line = element("p", { class: "copy" }, null, parent);
    element("code", {}, command, line);
    element("button", { type: "button", "data-copy": command }, "Copy", line);
  };

  // --- opening a row ---
  const build = (body) => {
    const row = rows[index(body)];
    const line = element("tr", { class: "detail", id: `detail-${index(body)}` }, null, body);
    const cell = element("td", { colspan: 8 }, null, line);
    const button = body.querySelector(".open");
    if (button.textContent !== row.n) element("p", { class: "full" }, row.n, cell);
    // A row that matters shows its first sentence already.
    row.s.slice(button.parentElement.querySelector("p") ? 1 : 0).forEach((text) => prose(element("p", {}, null, cell), text));
    if (row.p) {
      const charts = element("div", { class: "charts" }, null, cell);
      timeline(row.p, row, charts);
      spread(row.p, row, charts);
    } else {
      element("p", { class: "empty" }, "There are no values of processes to draw.", cell);
    }
    const facts = element("dl", { class: "facts" }, null, cell);
    labels.forEach((label, at) => {
      if (!row.f[at]) return;
      const pair = element("div", {}, null, facts);
      element("dt", {}, label, pair);
      element("dd", {}, row.f[at], pair);
    });
    if (row.r) copying(cell, row.r);
    const links = element("p", { class: "copy" }, null, cell);
    element("a", { href: `#${new URLSearchParams({ benchmark: row.n })}` }, "Link to this benchmark", links);
    button.setAttribute("aria-controls", line.id);
  };
  const open = (body, yes) => {
    if (yes && body.rows.length === 1) build(body);
    if (body.rows.length > 1) body.rows[1].hidden = !yes;
    body.classList.toggle("opened", yes);
    body.querySelector(".open").setAttribute("aria-expanded", String(yes));
  };
  const apply = () => {
    if (!table) return;
    order();
    filter();
  };
  const follow = () => {
    read();
    if (!table) return;
    const body = wanted.benchmark ? bodies.find((body) => rows[index(body)].n === wanted.benchmark) : null;
    apply();
    if (!body) return;
    body.hidden = false;
    open(body, true);
    body.scrollIntoView({ block: "start" });
    body.querySelector(".open").focus({ preventScroll: true });
  };

  // --- the whole page ---
  const download = async () => {
    const packed = Uint8Array.from(atob($("verdict").textContent.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const file = new Blob([await new Response(stream).arrayBuffer()], { type: "application/json" });
    const link = element("a", { href: URL.createObjectURL(file), download: "tollgate-verdict.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    else if (button.id === "download") download();
    else if (button.id === "print") print();
    else if (button.classList.contains("open")) {
      const body = button.closest("tbody");
      const yes = !body.classList.contains("opened");
      open(body, yes);
      wanted.benchmark = yes ? rows[index(body)].n : "";
      write();
    } else if (button.dataset.sort) {
      wanted.down = wanted.sort === button.dataset.sort && !wanted.down;
      wanted.sort = button.dataset.sort;
      apply();
      write();
    } else if (button.dataset.verdict) {
      if (!wanted.verdict.delete(button.dataset.verdict)) wanted.verdict.add(button.dataset.verdict);
      apply();
      write();
    } else if (button.id === "reset") {
      wanted.verdict.clear();
      wanted.search = "";
      apply();
      write();
      $("search").focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (!table || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "Escape" && event.target.id === "search" && wanted.search) {
      wanted.search = "";
      apply();
      write();
    }
  });
  let printed = [];
  addEventListener("beforeprint", () => {
    const more = (body) => rows[index(body)].p || rows[index(body)].s.length > 1;
    const shown = bodies.filter((body) => !body.hidden && !body.classList.contains("opened") && more(body));
    printed = shown.length > MOST_PRINTED ? shown.filter((body) => !PLAIN.includes(body.classList[0])).slice(0, MOST_PRINTED) : shown;
    printed.forEach((body) => open(body, true));
  });
  addEventListener("afterprint", () => { printed.forEach((body) => open(body, false)); printed = []; });
  addEventListener("hashchange", follow);
  if (table) {
    $("search").disabled = false;
    $("search").addEventListener("input", () => { wanted.search = $("search").value; filter(); write(); });
  }
  $("print").hidden = false;
  document.querySelectorAll("button[data-copy]").forEach((button) => { button.hidden = false; });
  const ready = () => {
    $("download").hidden = !("DecompressionStream" in window && $("verdict"));
    document.documentElement.dataset.ready = "yes";
  };
  follow();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
})();
