// The card of a gene: names, the beginning of its text, its groups, its ten nearest genes.
// `near` and `values` are their rows and cosines x 10^4, `button(row)` makes a link to a gene,
// `show(group)` lights a group on the map, -1 none.
genept.card = (genes, { row, near, values, group, text, button, show }) => {
  const { make } = genept;
  const links = [];
  const link = (href, name) => links.push(make("a", { href, textContent: name }), " ");
  if (genes.entrez[row])
    link(`https://www.ncbi.nlm.nih.gov/gene/${genes.entrez[row]}`, "NCBI Gene");
  if (genes.ensembl[row])
    link(`https://www.ensembl.org/Homo_sapiens/Gene/Summary?g=${genes.ensembl[row]}`, "Ensembl");
  if (genes.hgnc[row])
    link(`https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/${genes.hgnc[row]}`,
      "HGNC");
  const other = [genes.previous[row], genes.alias[row]].filter(Boolean).join("|");
  const groups = genes.group[row].map((id) => {
    const one = make("button", { type: "button", className: "group",
      "aria-pressed": String(group === id), textContent: genes.groups[id] });
    one.onclick = () => {
      group = group === id ? -1 : id;
      for (const mate of one.parentElement.querySelectorAll(".group"))
        mate.setAttribute("aria-pressed", String(mate === one && group >= 0));
      show(group);
    };
    return one;
  });
  const body = make("tbody", {}, ...near.map((other, i) => make("tr", {},
    make("th", { scope: "row" }, button(other)),
    make("td", { textContent: genes.name[other] }),
    make("td", { className: "num", textContent: (values[i] / 1e4).toFixed(3) }))));
  const head = make("thead", {}, make("tr", {}, ...["gene", "name", "cosine"].map((name) =>
    make("th", { scope: "col", textContent: name, className: name === "cosine" ? "num" : "" }))));
  const parts = [
    make("h2", {}, genes.symbol[row]),
    make("p", { className: "gene-name", textContent: genes.name[row] }),
    make("p", { className: "gene-kind", textContent: genes.type[row] +
      (other ? `; also ${other.split("|").join(", ")}` : "") }),
    make("p", { className: "gene-text",
      textContent: text || (genes.note ? "" :
        "No summary: its vector knows its symbol and its name alone.") }),
    make("p", { className: "gene-links" }, ...links),
  ];
  if (groups.length)
    parts.push(make("p", { className: "gene-groups" }, "Show its group: ", ...groups));
  parts.push(make("div", { className: "table-box" }, make("table", { className: "dataframe" },
    make("caption", { textContent: `The ten genes nearest to ${genes.symbol[row]}` }),
    head, body)));
  return parts;
};

