// The genes of the book in a page: data handed over by scripts, names to genes, search.
// Nothing is fetched, so that a page opened from disk works as one from a server.
const genept = (() => {
  const waiting = {};
  const base = document.currentScript.src.replace(/[^/]*$/, "");

  const unpack = async (text) => {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };

  // A data script calls this; load() resolves with what it handed over.
  const take = (name, text) => waiting[name].resolve(unpack(text));

  const load = (name) => {
    if (!waiting[name]) {
      const entry = (waiting[name] = {});
      entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      if (!("DecompressionStream" in window))
        entry.reject(new Error("this browser is too old: it cannot unpack the data"));
      const script = document.createElement("script");
      script.src = `${base}data-${name}.js`;
      script.onerror = () => entry.reject(new Error(`${script.src} could not be read`));
      document.head.append(script);
    }
    return waiting[name].promise;
  };

  const json = async (name) => JSON.parse(new TextDecoder().decode(await load(name)));

  // Kinds of names in the order in which they are tried, as in genept_utils.genes.
  const HOW = ["approved", "ensembl", "entrez", "hgnc", "previous", "alias"];

  const index = (genes) => {
    const exact = new Map(), folded = new Map();
    const put = (map, name, row, tier) => {
      const held = map.get(name);
      if (!held || tier < held.tier) map.set(name, { tier, rows: [row] });
      else if (tier === held.tier && !held.rows.includes(row)) held.rows.push(row);
    };
    const columns = [genes.symbol, genes.ensembl, genes.entrez, genes.hgnc];
    const add = (name, row, tier) => {
      if (!name) return;
      put(exact, name, row, tier);
      put(folded, name.toUpperCase(), row, tier);
    };
    columns.forEach((column, tier) => column.forEach((name, row) => add(name, row, tier)));
    [genes.previous, genes.alias].forEach((column, i) =>
      column.forEach((names, row) => {
        if (names) for (const name of names.split("|")) add(name, row, 4 + i);
      }));
    return { exact, folded };
  };

  const ALIAS = HOW.indexOf("alias");

  // An Ensembl id without its version.
  const bare = (name) => name.replace(
    /^(ENS(?:[A-Z]{3,4})?G\d{11})(?:\.\d+)?(?:_PAR_Y)?$/i, "$1");

  // One name as it stands or in other letters -> { how, row, candidates }: rows are numbers of
  // genes. names.js also reads dates and what other programs write.
  const match = (genes, given) => {
    const name = bare(given.trim()), none = { how: "missing", row: -1, candidates: [] };
    if (!name) return none;
    let held = genes.names.exact.get(name), how = held && HOW[held.tier];
    if (!held && name.toLowerCase() !== "nan") {
      held = genes.names.folded.get(name.toUpperCase());
      how = "case";
      if (held && held.tier === ALIAS && /^\p{Ll}+$/u.test(name)) return none; // "baz" is a word
    }
    if (!held) return none;
    if (held.rows.length > 1) return { how: "ambiguous", row: -1, candidates: held.rows };
    return { how, row: held.rows[0], candidates: [] };
  };

  let ready;
  const genes = () => (ready ||= json("genes").then((table) => {
    table.names = index(table);
    table.upper = table.symbol.map((name) => name.toUpperCase());
    table.words = null;
    return table;
  }));

  // Rows whose symbol, other names or full name fit what was typed, best first.
  const find = (genes, typed, most = 12) => {
    const text = typed.trim(), upper = text.toUpperCase();
    if (!text) return [];
    const found = new Map();
    const add = (row, why) => found.size < most && !found.has(row) && found.set(row, why);
    const one = match(genes, text);
    if (one.row >= 0) add(one.row, one.how === "approved" || one.how === "case" ? "" : one.how);
    for (const row of one.candidates) add(row, "one of several");
    genes.lower ||= genes.name.map((name) => name.toLowerCase());
    const named = genes.lower.indexOf(text.toLowerCase());
    if (named >= 0) add(named, "");
    for (let i = 0; i < genes.upper.length && found.size < most; i++)
      if (genes.upper[i].startsWith(upper)) add(i, "");
    if (text.length > 1 && found.size < most) {
      genes.other ||= genes.previous.map((names, i) =>
        `|${names}|${genes.alias[i]}`.toUpperCase());
      for (let i = 0; i < genes.other.length && found.size < most; i++)
        if (genes.other[i].includes(`|${upper}`)) add(i, "other name");
    }
    if (text.length > 2 && found.size < most) {
      const parts = text.toLowerCase().split(/\s+/), whole = parts.join(" ");
      const hits = [...genes.lower.keys()].filter((i) =>
        parts.every((part) => genes.lower[i].includes(part)));
      const rank = (i) => genes.lower[i] === whole ? 0 : genes.lower[i].startsWith(whole) ? 1 : 2;
      for (const i of hits.sort((a, b) => rank(a) - rank(b) || a - b)) add(i, "");
    }
    return [...found].map(([row, why]) => ({ row, why }));
  };

  // An element with properties, attributes (keys with a dash, or role) and children.
  const make = (tag, props = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(props))
      if (key.includes("-") || ["role", "scope", "for"].includes(key))
        element.setAttribute(key, value);
      else element[key] = value;
    element.append(...children);
    return element;
  };

  return { take, load, json, genes, match, bare, find, make, ALIAS };
})();
