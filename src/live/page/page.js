"use strict";
// Draws the run: from the events of its server, or, in a saved file, from the data beside it. Every text from outside is set
// as text, never as HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const savedElement = $("saved");
  const saved = savedElement ? JSON.parse(savedElement.textContent) : null;
  const token = document.querySelector("meta[name=tollgate-token]")?.content ?? "";
  const MOST_CHARTS = 8;
  let state = null;
  let points = [];
  let shell = null;
  let report = null;
  let armed = 0;
  let chosen = null;

  // --- numbers as people read them ---
  const known = (value) => typeof value === "number" && Number.isFinite(value);
  const digits = (value) => {
    if (Number.isInteger(value)) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size >= 100 || size === 0) return Math.round(value).toLocaleString("en");
    return value.toFixed(size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
  };
  const scaled = (units) => (value) => {
    if (!known(value)) return "–";
    if (value === 0) return "0";
    const [factor, unit] = units.find(([factor]) => Math.abs(value) >= factor) ?? units[units.length - 1];
    return `${digits(value / factor)} ${unit}`;
  };
  const time = scaled([[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]]);
  const bytes = scaled([[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]]);
  const plain = (value) => (known(value) ? digits(value) : "–");
  const percent = (value) => (known(value) ? `${digits(value * 100)} %` : "–");
  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  };
  // Names of shares are shown as shares; everything else of a scenario's own is a plain number.
  const isShare = (name) => /(_rate|_ratio|_share)$/.test(name);

  // --- values of a point ---
  const each = (point, count) => (point.seconds > 0 ? count / point.seconds : null);
  const errorShare = (point) => {
    const ended = point.completed + point.errors;
    return ended > 0 ? point.errors / ended : null;
  };
  const latency = (name) => [name, (point) => point[`${name}_ns`]];
  const fixedCharts = [
    { id: "rate", title: "Requests a second", show: plain, lines: [
      ["answered", (point) => each(point, point.completed)],
      ["due", (point) => each(point, point.scheduled)],
      ["failed", (point) => each(point, point.errors)]], limits: { throughput: "target" } },
    { id: "latency", title: "Response time", show: time, lines: ["p50", "p90", "p95", "p99"].map(latency),
      limits: { "latency.p50": "p50 target", "latency.p90": "p90 target", "latency.p95": "p95 target", "latency.p99": "p99 target" } },
    { id: "errors", title: "Failed requests", show: percent, lines: [["share of what ended", errorShare]],
      limits: { error_rate: "target" }, least: 0.01, cap: 1 },
    { id: "queue", title: "In flight and backlog", show: plain, lines: [
      ["in flight", (point) => point.in_flight], ["due, not sent", (point) => point.backlog]], limits: {} },
    { id: "cpu", title: "Processors that the service kept busy", show: plain, lines: [["CPU", (point) => point.cpu]], limits: {}, optional: true },
    { id: "rss", title: "Resident memory of the service", show: bytes, lines: [["RSS", (point) => point.rss_bytes]], limits: {}, optional: true },
  ];

  // Control characters, and those that turn the direction of what follows, must not change how the page reads.
  const visible = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  const element = (tag, attributes = {}, text = null, parent = null) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== null) made.textContent = visible(text);
    if (parent) parent.append(made);
    return made;
  };
  const drawn = (tag, attributes, parent, text = null) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== null) made.textContent = visible(text);
    parent.append(made);
    return made;
  };

  // --- charts ---
  const charts = new Map();
  const metricNames = () => {
    const names = new Set();
    for (const point of points) for (const name of Object.keys(point.metrics)) names.add(name);
    return [...names].slice(0, MOST_CHARTS);
  };
  const wanted = () => {
    const own = metricNames().map((name) => ({
      id: `metric:${name}`, title: name, show: isShare(name) ? percent : plain,
      lines: [[name, (point) => point.metrics[name]]], limits: { [name]: "target" },
      most: isShare(name) ? 1 : undefined,
    }));
    const fixed = fixedCharts.filter((chart) => !chart.optional || points.some((point) => known(chart.lines[0][1](point))));
    return [...fixed, ...own];
  };
  const build = (chart) => {
    const figure = element("figure", {}, null, $("charts"));
    const caption = element("figcaption", {}, null, figure);
    element("strong", {}, chart.title, caption);
    if (chart.lines.length > 1) {
      const legend = element("span", { class: "legend" }, null, caption);
      chart.lines.forEach(([name], index) => {
        const item = element("span", {}, null, legend);
        const sample = drawn("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" }, item);
        drawn("path", { d: "M1 4H21", class: `line s${index}` }, sample);
        item.append(name);
      });
    }
    const plot = drawn("svg", { class: "plot", role: "img", tabindex: "0" }, figure);
    const readout = element("p", { class: "readout", "aria-live": "off" }, "", figure);
    const made = { ...chart, figure, plot, readout };
    plot.addEventListener("pointermove", (event) => choose(made, nearest(made, event.clientX)));
    plot.addEventListener("pointerleave", () => choose(made, null));
    plot.addEventListener("blur", () => { readout.setAttribute("aria-live", "off"); choose(made, null); });
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9, Escape: null }[event.key];
      if (step === undefined || points.length === 0) return;
      event.preventDefault();
      readout.setAttribute("aria-live", "polite");
      const start = chosen ?? (step > 0 ? -1 : points.length);
      choose(made, step === null ? null : Math.min(points.length - 1, Math.max(0, start + step)));
    });
    charts.set(chart.id, made);
    return made;
  };
  const nearest = (chart, x) => {
    if (points.length === 0 || !chart.scale) return null;
    const at = chart.scale.back(x - chart.plot.getBoundingClientRect().left);
    let best = 0;
    points.forEach((point, index) => { if (Math.abs(middle(point) - at) < Math.abs(middle(points[best]) - at)) best = index; });
    return best;
  };
  const middle = (point) => point.at + point.seconds / 2;
  const choose = (chart, index) => {
    chosen = index;
    chart.readout.textContent = index === null ? "" : readAt(chart, points[index]);
    charts.forEach(draw);
  };
  const readAt = (chart, point) =>
    `${clock(point.at)}${point.warmup ? " (warm-up)" : ""}: ${chart.lines.map(([name, value]) => `${name} ${chart.show(value(point))}`).join(", ")}`;

  // A round number at or above the value: 1, 2 or 5 times a power of ten (of 1,024 for bytes a power of two).
  const round = (value, show) => {
    if (show === bytes) return 2 ** Math.ceil(Math.log2(value));
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((candidate) => candidate >= value * 0.999) ?? value;
  };
  const draw = (chart) => {
    const { plot } = chart;
    const box = plot.getBoundingClientRect();
    const [width, height] = [box.width || 600, box.height || 190];
    const left = 58, right = width - 8, top = 10, bottom = height - 20;
    plot.replaceChildren();
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const limits = Object.entries(chart.limits).filter(([part]) => known(state.limits[part])).map(([part, name]) => [name, state.limits[part]]);
    const values = points.flatMap((point) => chart.lines.map(([, value]) => value(point))).filter(known);
    const peak = Math.max(chart.least ?? 0, ...values, 0);
    // A target far above everything would flatten the lines: it is drawn where it is near.
    const near = limits.filter(([, limit]) => limit <= peak * 3);
    const most = chart.most
      ?? Math.min(chart.cap ?? Infinity, round(Math.max(peak * 1.05, ...near.map(([, limit]) => limit * 1.05)) || 1, chart.show));
    const first = points.length ? points[0].at : 0;
    const last = points.length ? points[points.length - 1].at + points[points.length - 1].seconds : 1;
    const span = Math.max(last - first, 1);
    const x = (at) => left + ((at - first) / span) * (right - left);
    const y = (value) => bottom - (Math.min(value, most) / most) * (bottom - top);
    chart.scale = { back: (pixel) => first + ((pixel - left) / (right - left)) * span };

    points.filter((point) => point.warmup).forEach((point) => {
      drawn("rect", { class: "warm", x: x(point.at), y: top, width: Math.max(0, x(point.at + point.seconds) - x(point.at)), height: bottom - top }, plot);
    });
    for (let line = 0; line <= 4; line += 1) {
      const value = (most * line) / 4;
      drawn("path", { class: "grid", d: `M${left} ${y(value)}H${right}` }, plot);
      if (line % 2 === 0) drawn("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, plot, chart.show(value));
    }
    drawn("text", { x: left, y: height - 4 }, plot, clock(first));
    drawn("text", { x: right, y: height - 4, "text-anchor": "end" }, plot, clock(last));
    state.marks.filter((mark) => mark.at > first && mark.at < last).forEach((mark) => {
      const line = drawn("path", { class: "mark", d: `M${x(mark.at)} ${top}V${bottom}` }, plot);
      drawn("title", {}, line, mark.label);
    });
    near.forEach(([name, limit]) => {
      drawn("path", { class: "limit", d: `M${left} ${y(limit)}H${right}` }, plot);
      drawn("text", { class: "limit-name", x: right, y: y(limit) - 4, "text-anchor": "end" }, plot, `${name} ${chart.show(limit)}`);
    });
    chart.lines.forEach(([, value], index) => {
      let path = "";
      let open = false;
      let alone = null;
      const dot = () => { if (alone) drawn("circle", { class: `dot s${index}`, cx: alone[0], cy: alone[1], r: 2 }, plot); alone = null; };
      points.forEach((point) => {
        const here = value(point);
        if (!known(here)) { dot(); open = false; return; }
        const place = [x(middle(point)).toFixed(1), y(here).toFixed(1)];
        alone = open ? null : place;
        path += `${open ? "L" : "M"}${place[0]} ${place[1]}`;
        open = true;
      });
      dot();
      if (path) drawn("path", { class: `line s${index}`, d: path }, plot);
    });
    if (chosen !== null && points[chosen]) {
      const at = x(middle(points[chosen]));
      drawn("path", { class: "cursor", d: `M${at} ${top}V${bottom}` }, plot);
    }
    const newest = points[points.length - 1];
    const far = limits.filter((limit) => !near.includes(limit)).map(([name, limit]) => `${name} ${chart.show(limit)}`);
    plot.setAttribute("aria-label", newest
      ? `${chart.title}, ${points.length} points, newest at ${readAt(chart, newest)}${far.length ? `; ${far.join(", ")}` : ""}. Arrow keys read the points.`
      : `${chart.title}, no points so far`);
    // Where nobody points at a place, the line below tells what the chart has no room for.
    if (chosen === null) chart.readout.textContent = points.length === 0 ? "The first second is on its way." : far.join(", ");
  };

  // --- the rest of the page ---
  const tile = (name, value, broken = false) => {
    const box = element("div", broken ? { class: "broken" } : {}, null, $("tiles"));
    element("dt", {}, name, box);
    element("dd", {}, value, box);
  };
  const tiles = () => {
    const point = state.latest;
    const open = new Set(state.alerts.filter((alert) => alert.until === null).map((alert) => alert.part));
    $("tiles").replaceChildren();
    const share = (value) => (point ? value(point) : null);
    tile("Answered a second", plain(share((p) => each(p, p.completed))), open.has("throughput") || open.has("answers"));
    for (const name of ["p50", "p90", "p95", "p99"]) tile(name, time(share((p) => p[`${name}_ns`])), open.has(`latency.${name}`));
    tile("Failed", percent(share(errorShare)), open.has("error_rate"));
    tile("In flight", plain(share((p) => p.in_flight)));
    tile("Backlog", plain(share((p) => p.backlog)));
    if (points.some((p) => known(p.cpu))) tile("CPU", plain(share((p) => p.cpu)));
    if (points.some((p) => known(p.rss_bytes))) tile("RSS", bytes(share((p) => p.rss_bytes)));
    for (const name of metricNames()) tile(name, (isShare(name) ? percent : plain)(share((p) => p.metrics[name])), open.has(name));
    tile("Requests so far", state.totals.scheduled.toLocaleString("en"));
    tile("Failed so far", state.totals.errors.toLocaleString("en"), false);
  };
  let alertKey = "";
  const alerts = () => {
    // Rebuilt only when something changed: a screen reader must not hear the same alert every second.
    const key = JSON.stringify(state.alerts);
    if (key === alertKey) return;
    alertKey = key;
    const list = $("alert-list");
    list.replaceChildren();
    state.alerts.forEach((alert) => {
      const item = element("li", alert.until === null ? { class: "open" } : {}, alert.words, list);
      const when = alert.until === null ? `since ${clock(alert.since)}` : `over: ${clock(alert.since)} to ${clock(alert.until)}`;
      element("span", { class: "when" }, when, item);
    });
    if (state.alerts.length === 0) element("li", {}, "None: no watched target is broken.", list);
  };
  const setText = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
  const head = () => {
    setText("title", state.title);
    document.title = `${state.title} · tollgate load`;
    const words = { running: "running", stopping: "stopping", over: "over" };
    setText("standing", saved && state.standing !== "over" ? "saved while running" : words[state.standing]);
    $("standing").className = `pill ${state.standing}`;
    setText("elapsed", clock(state.elapsed_seconds));
    const mark = state.marks[state.marks.length - 1];
    // What it did last is no news of a run that is over.
    setText("phase", mark && mark.label !== state.title && state.standing !== "over" ? mark.label : "");
    $("stop").disabled = state.standing !== "running";
    $("stop").hidden = saved !== null || state.standing === "over";
    $("save").hidden = saved !== null;
    $("result").hidden = report === null;
    setText("now-title", state.standing === "over" ? "Its last second" : "Last second");
    if (state.standing === "over") notice(state.words || "The run is over.");
    setText("about", `tollgate ${state.version}. Response time counts from when a request was due. `
      + (state.point_seconds > 1 ? `Each point joins ${state.point_seconds} seconds: the worst percentiles, the sum of counts. ` : "")
      + "Shaded: warm-up, which no result counts.");
  };
  const table = () => {
    if (!$("table").open) return;
    const names = metricNames();
    const columns = [["time", (p) => clock(p.at)], ["due/s", (p) => plain(each(p, p.scheduled))], ["answered/s", (p) => plain(each(p, p.completed))],
      ["failed", (p) => percent(errorShare(p))], ...["p50", "p90", "p95", "p99"].map((name) => [name, (p) => time(p[`${name}_ns`])]),
      ["in flight", (p) => plain(p.in_flight)], ["backlog", (p) => plain(p.backlog)], ["CPU", (p) => plain(p.cpu)], ["RSS", (p) => bytes(p.rss_bytes)],
      ...names.map((name) => [name, (p) => (isShare(name) ? percent : plain)(p.metrics[name])])];
    const [headings, body] = [$("table").querySelector("thead"), $("table").querySelector("tbody")];
    headings.replaceChildren();
    body.replaceChildren();
    const row = element("tr", {}, null, headings);
    columns.forEach(([name]) => element("th", { scope: "col" }, name, row));
    points.slice(-60).reverse().forEach((point) => {
      const line = element("tr", {}, null, body);
      columns.forEach(([, value], index) => element(index ? "td" : "th", index ? {} : { scope: "row" }, value(point), line));
    });
  };
  const notice = (words) => { $("notice").hidden = false; setText("notice", words); };
  let due = false;
  const render = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      head();
      alerts();
      tiles();
      wanted().forEach((chart) => { if (!charts.has(chart.id)) build(chart); });
      charts.forEach(draw);
      table();
      document.documentElement.dataset.points = points.length;
    });
  };
  const take = (news) => {
    if (news.from !== points.length) { points = points.slice(0, news.from); chosen = null; }
    points = points.concat(news.points);
    state = news;
    render();
  };

  // --- live ---
  const disarm = () => { clearTimeout(armed); armed = 0; $("stop").classList.remove("armed"); setText("stop", "Stop the run"); };
  const stop = async () => {
    if (!armed) {
      $("stop").classList.add("armed");
      setText("stop", "Press again to stop");
      armed = setTimeout(disarm, 5000);
      return;
    }
    disarm();
    $("stop").disabled = true;
    try {
      const answer = await fetch("stop", { method: "POST", headers: { "x-tollgate-token": token } });
      if (!answer.ok) notice(await answer.text());
    } catch {
      notice("The run could not be reached. It may be over.");
    }
  };
  const give = (parts, name) => {
    const file = new Blob(parts, { type: "text/html" });
    const link = element("a", { href: URL.createObjectURL(file), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const save = () => {
    const data = JSON.stringify({ ...state, from: 0, points }).replaceAll("<", "\\u003c");
    const empty = 'id="saved">null';
    const at = shell.indexOf(empty);
    const parts = [shell.slice(0, at), `id="saved">${data}`, shell.slice(at + empty.length)];
    give(parts, "tollgate-load.html");
  };
  const listen = () => {
    const source = new EventSource("events");
    source.addEventListener("news", (event) => { $("notice").hidden = true; take(JSON.parse(event.data)); });
    source.addEventListener("over", (event) => {
      source.close();
      const { report: result, ...news } = JSON.parse(event.data);
      report = result ?? null;
      take(news);
    });
    source.onerror = () => {
      $("standing").className = "pill lost";
      setText("standing", "connection lost");
      notice("The run cannot be reached: it has ended, or its terminal was closed. What was seen so far is still here and can be saved.");
    };
  };

  $("table").addEventListener("toggle", () => state && table());
  addEventListener("resize", () => state && render());
  if (saved) {
    take(saved);
  } else {
    $("stop").addEventListener("click", stop);
    $("save").addEventListener("click", save);
    $("result").addEventListener("click", () => give([report], "tollgate-report.html"));
    $("save").disabled = true;
    // Fetched now, so that the report can be saved when the run and its server are gone.
    fetch("shell").then((answer) => answer.text()).then((text) => { shell = text; $("save").disabled = false; });
    listen();
  }
})();
