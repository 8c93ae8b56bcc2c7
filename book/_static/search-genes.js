// On the search page: genes that are called like what was searched, above the pages found.
(() => {
  // a page opened from disk may not read other pages for the lines below each hit
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined")
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  // said where a name is a gene too, which stands above
  if (typeof Documentation !== "undefined")
    Documentation.TRANSLATIONS["Your search did not match any documents. Please make sure that " +
      "all words are spelled correctly and that you've selected enough categories."] =
      "No page of the book holds all of these words.";
  const results = document.querySelector("#search-results");
  const query = new URLSearchParams(location.search).get("q");
  if (!results || !query) return;
  const root = document.documentElement.dataset.content_root || "./";
  const script = document.createElement("script");
  script.src = `${root}genes/genes.js`;
  script.onload = async () => {
    const genes = await genept.genes();
    // the whole query as one name, or else each of its words that is exactly a gene
    const found = genept.find(genes, query, 8).map(({ row }) => row);
    const words = found.length ? [] : query.split(/[\s,;]+/);
    for (const word of words) {
      const { row, candidates } = genept.match(genes, word);
      found.push(...(row < 0 ? candidates : [row]));
    }
    if (!found.length) return;
    const { make } = genept;
    const link = (row) => make("a", { href: `${root}book/gene-map.html#${genes.symbol[row]}`,
      textContent: genes.symbol[row] });
    const list = make("ul", {}, ...[...new Set(found)].slice(0, 8).map((row) =>
      make("li", {}, link(row), ` ${genes.name[row]}`)));
    results.before(make("section", { className: "gene-hits", "aria-label": "Genes" },
      make("h2", { textContent: "Genes" }), list));
  };
  document.head.append(script);
})();
