// The list page: reads pasted names and shows what genept.lists computes.
(async () => {
  const { make } = genept, { lists } = genept;
  const page = document.querySelector(".gene-list-page");
  const input = page.querySelector("textarea"), answer = page.querySelector(".list-answer");
  const state = page.querySelector(".map-state");
  const K = 15;
  const say = (text) => (state.textContent = text);
  const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

  const gene = (genes, row) => make("a", { textContent: genes.symbol[row],
    title: genes.name[row], href: `gene-map.html#${encodeURIComponent(genes.symbol[row])}` });

  const table = (caption, heads, rows) => {
    const number = heads.map((_, i) => rows.every((row) => typeof row[i] === "string" &&
      /^[\d.,]+(e-\d+)?$/.test(row[i])));
    const cells = (row, tag) => row.map((cell, i) => make(i || tag === "th" ? tag : "th",
      { className: number[i] ? "num" : "", "data-label": heads[i],
        ...(tag === "th" ? { scope: "col" } : i ? {} : { scope: "row" }) }, cell));
    return make("div", { className: "table-box", tabIndex: 0, role: "region",
      "aria-label": caption }, make("table",
      { className: heads.length > 4 ? "dataframe cards" : "dataframe", "data-labelled": "" },
      make("caption", { textContent: caption }),
      make("thead", {}, make("tr", {}, ...cells(heads, "th"))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row, "td"))))));
  };

  const spaced = (parts) => parts.flatMap((part, i) => (i ? [", ", part] : [part]));

  // Names that only mouse genes have: said, and taken as the human orthologs if the reader wants.
  const mice = (genes, mouse) => {
    const one = make("button", { type: "button", className: "plain orthologs",
      textContent: "Take the human orthologs" });
    one.onclick = () => {
      const own = new Map(mouse.map(({ name, mouse: row }) => [name, genes.symbol[row]]));
      input.value = genept.paste(genes, input.value).names
        .map((name) => own.get(name) ?? name).join(" ");
      ask();
    };
    return [make("p", { className: "list-mouse" },
      `${count(mouse.length, "name is that of a mouse gene", "names are those of mouse genes")}: `,
      ...spaced(mouse.map(({ name, mouse: row }) =>
        make("span", {}, `${name} (human `, gene(genes, row), ")"))), ". ", one)];
  };

  const names = (genes, found) => {
    const of = (...hows) => found.filter(({ how }) => hows.includes(how));
    const by = { previous: "a former symbol", alias: "an alias", case: "other letters",
      ensembl: "Ensembl", entrez: "Entrez", hgnc: "HGNC", date: "a spreadsheet's date",
      rewritten: "another spelling" };
    const mouse = found.filter(({ mouse: row }) => row >= 0);
    const missing = found.filter(({ how, mouse: row }) => how === "missing" && row < 0), several = of("ambiguous"), known = of("approved");
    const renamed = of(...Object.keys(by));
    const parts = [make("h2", { textContent: "Names" }), make("p", { className: "list-names" },
      `${count(known.length, "approved symbol")}, ${renamed.length} by another name, ` +
      `${several.length} ambiguous, ${missing.length + mouse.length} not known.`)];
    if (renamed.length)
      parts.push(table("Known by another name", ["given", "gene", "found as"],
        renamed.map(({ name, row, how }) => [name, gene(genes, row), by[how]])));
    if (several.length)
      parts.push(table("Ambiguous: stands for several genes, none is taken", ["given", "genes"],
        several.map(({ name, candidates }) => [name,
          make("span", {}, ...spaced(candidates.map((row) => gene(genes, row))))])));
    if (mouse.length) parts.push(...mice(genes, mouse));
    if (missing.length)
      parts.push(make("p", { className: "list-missing" }, make("b", { textContent: "Not known: " }),
        missing.map(({ name }) => name).join(", ")));
    return parts;
  };

  const close = (vectors, places, left) => {
    const parts = [make("h2", { textContent: "How close the genes are" })];
    const without = left ? ` ${count(left, "gene")} without a protein and without a summary ` +
      `${left === 1 ? "is" : "are"} left out here.` : "";
    if (places.length < 2)
      return [...parts, make("p", {}, `Two genes at least are needed.${without}`)];
    const own = lists.closeness(vectors, places), size = places.length;
    const draws = lists.randomLists(vectors, size, size > 200 ? 200 : 1000);
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const above = draws.filter((value) => value >= own).length;
    const text = `The mean cosine between two of the ${size} genes is ${own.toFixed(3)}. ` +
      `Of ${draws.length.toLocaleString("en")} random lists of ${size} genes the mean is ` +
      `${mean.toFixed(3)}, the largest ${Math.max(...draws).toFixed(3)}; ` +
      `${above || "none"} of them ${above < 2 ? "is" : "are"} as close.${without}`;
    return [...parts, make("p", { className: "list-close" }, text)];
  };

  const marking = (genes, words, rows) => {
    const parts = [make("h2", { textContent: "Words that mark the list" })];
    const found = lists.markingWords(words, rows);
    answer.words = found;
    if (!found.list)
      return [...parts, make("p", {}, words.rows.length ? "None of the genes has a summary." :
        genes.note)];
    const shown = found.words.filter(({ q }) => q < 0.05).slice(0, 40);
    parts.push(make("p", {}, `${count(found.list, "gene")} of the list and ` +
      `${found.all.toLocaleString("en")} of all genes have a summary. ` +
      `${found.tested.toLocaleString("en")} words were tested; ` +
      (shown.length ? `these stand in the list more often than chance allows, at a false ` +
        "discovery rate of 5 %. Genes of one family share sentences, so a word may tell of " +
        "one family only." :
        "none stands in the list more often than chance allows, at a false discovery rate of 5 %.")));
    if (shown.length)
      parts.push(table("Marking words", ["word", "in the list", "in all", "times", "q", "genes"],
        shown.map((row) => [row.word, String(row.in_list), row.in_all.toLocaleString("en"),
          row.fold.toFixed(1), row.q < 0.001 ? row.q.toExponential(0) : row.q.toFixed(3),
          make("span", {}, ...spaced(row.genes.slice(0, 8).map((one) => gene(genes, one))),
            row.genes.length > 8 ? ` and ${row.genes.length - 8} more` : "")])));
    return parts;
  };

  const near = (genes, vectors, chance, places) => {
    const found = lists.nearest(vectors, chance, places, K);
    const { size, limit } = lists.limitOf(chance, places.length);
    const above = found.filter(({ score }) => score > limit);
    answer.nearest = { found, limit, size, above: above.length };
    const share = Math.round(100 * chance.level);
    const rule = `In ${share} of 100 random lists of ${count(size, "gene")} no gene scores above ` +
      `${limit.toFixed(2)}`;
    const parts = [make("h2", { textContent: "Other genes near the list" }),
      make("p", { className: "list-near" }, above.length ?
        `${rule}; ${above.length === K ? "the first " : ""}${count(above.length, "gene scores",
          "genes score")} higher here. The score is the cosine with the mean of the list, the ` +
          "mean of all genes taken away, divided by the usual size of that gene's cosines." :
        `No gene stands out. ${rule}, and the highest here is ${genes.symbol[found[0].row]} with ` +
          `${found[0].score.toFixed(2)}: random lists have genes as near.`)];
    if (above.length)
      parts.push(table("Genes nearer than to random lists", ["gene", "name", "cosine", "score"],
        above.map(({ row, cosine, score }) => [gene(genes, row), genes.name[row],
          cosine.toFixed(3), score.toFixed(2)])));
    return parts;
  };

  const leftOut = ({ numbers, gaps }) => {
    const parts = [[numbers, "number", "numbers"], [gaps, "mark of no value", "marks of no value"]]
      .filter(([some]) => some.length).map(([some, one, many]) => count(some.length, one, many));
    return parts.length ? make("p", { className: "list-left" }, `Left out: ${parts.join(" and ")} ` +
      `(${[...new Set([...numbers, ...gaps])].slice(0, 8).join(", ")}).` +
      (numbers.length ? " An Entrez id among names can be written as GeneID:7157." : "")) : "";
  };

  const ask = async () => {
    if (!input.value.trim()) {
      answer.replaceChildren();
      return say("Paste some gene names first.");
    }
    say("Reading the genes …");
    try {
      const genes = await genept.genes(), pasted = genept.paste(genes, input.value);
      const given = pasted.names, found = genept.names.match(genes, given);
      const rows = [...new Set(found.map(({ row }) => row))].filter((row) => row >= 0);
      answer.hidden = false;
      answer.replaceChildren(...names(genes, found), leftOut(pasted));
      if (!rows.length) return say("None of the names is a gene.");
      say("Reading words and vectors (10 MB, once) …");
      const [words, vectors, chance] = await Promise.all([
        (genept.wordTable ||= genept.load("words").then(lists.readWords)),
        (genept.vectorTable ||= genept.load("vectors").then(lists.readVectors)),
        (genept.chance ||= genept.json("null"))]);
      const places = rows.map((row) => vectors.place.get(row)).filter((i) => i !== undefined);
      answer.append(...close(vectors, places, rows.length - places.length),
        ...marking(genes, words, rows));
      if (places.length) answer.append(...near(genes, vectors, chance, places));
      say(`${count(rows.length, "gene")} of ${count(given.length, "name")}.`);
    } catch (error) {
      say(`This cannot be answered here: ${error.message}.`);
    }
    answer.dataset.ready = Number(answer.dataset.ready || 0) + 1;
  };

  page.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    ask();
  };
  for (const button of page.querySelectorAll("button.example"))
    button.onclick = () => {
      input.value = button.dataset.genes.replace(/\s+/g, " ");
      ask();
    };
  page.dataset.ready = "";
})();
