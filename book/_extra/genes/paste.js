// Names in a pasted text, as genept_utils.genes.pasted reads them: code, tables, sets, lists.
genept.paste = (genes, text) => {
  const { rules } = genes;
  const noName = new RegExp(`^(?:${rules.noName[0]})$`), gaps = new Set(rules.gaps);
  const kind = (token) => gaps.has(token.toLowerCase()) ? "gap" :
    noName.test(token) ? "number" : "name";
  const isGene = (cells) => {
    const names = cells.map((cell) => cell.trim());
    return genept.names.match(genes, names).map(({ how }, i) =>
      how !== "missing" && kind(names[i]) === "name" && !/\s/.test(names[i]));
  };
  const strip = (token, signs) => {
    let from = 0, to = token.length;
    while (from < to && signs.includes(token[from])) from++;
    while (to > from && signs.includes(token[to - 1])) to--;
    return token.slice(from, to);
  };

  // The cells of the columns that are genes, row by row; of all columns where none is.
  const columns = (rows) => {
    const known = rows.map(isGene), body = rows.map((_, r) => r).slice(known[0].some(Boolean) ? 0 : 1);
    const used = rows[0].map((_, i) => i).filter((i) => {
      const given = body.filter((r) => rows[r][i] && kind(rows[r][i]) !== "gap").length;
      return body.filter((r) => known[r][i]).length >= Math.max(1, rules.share * given);
    });
    return used.length ? body.flatMap((r) => used.map((i) => rows[r][i])) : rows.flat();
  };

  const cells = (text) => {
    const lines = text.split("\n").filter((line) => line.trim());
    for (const sign of "\t;,") {
      const rows = lines.map((line) => line.split(sign).map((cell) => strip(cell.trim(), "\"'`")));
      if (rows.length > 1 && rows[0].length > 1 &&
          rows.every((row) => row.length === rows[0].length)) return columns(rows);
    }
    const quoted = new RegExp(rules.quoted[0], "g");
    const strings = [...text.matchAll(quoted)].map((parts) => parts.slice(1).join(""));
    if (strings.length > (text.replace(quoted, " ").match(/[\p{L}\p{N}_.-]+/gu) || []).length)
      return strings;
    return lines.flatMap((line) => {
      const parts = line.split("\t");  // a line of a .gmt file: name, description, genes
      return parts.length > 2 && !isGene(parts.slice(0, 2)).some(Boolean) ? parts.slice(2) : parts;
    });
  };

  const trimmed = (token) => {
    if (gaps.has(token.toLowerCase())) return token;
    const inner = strip(token, rules.edges);
    return /[\p{L}\p{N}]/u.test(inner) ? inner : "";
  };

  const areIds = (numbers) => {
    const given = [...new Set(numbers)];
    if (given.length < rules.minIds || !given.every((one) => /^\p{Nd}+$/u.test(one))) return false;
    genes.ids ||= new Set(genes.entrez);
    const known = given.filter((one) => genes.ids.has(one)).length, values = given.map(Number);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return known >= (given.length >= 50 ? rules.minKnown : 1) * given.length &&
      high >= rules.leastId && given.length / (high - low + 1) < rules.minDensity;
  };

  const plain = text.replace(/\r\n?/g, "\n").replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u201c\u201d]/g, '"').replace(/\ufeff/g, "").replace(/\u00a0/g, " ")
    .replace(new RegExp(rules.call[0], "g"), " ");
  const tokens = cells(plain).flatMap((cell) => cell.split(/[\s,;]+/)).map(trimmed).filter(Boolean);
  let [names, numbers] = ["name", "number"].map((one) => tokens.filter((t) => kind(t) === one));
  if (names.length > 1 && rules.heads.includes(names[0].toLowerCase()) &&
      !isGene(names.slice(0, 1))[0]) names = names.slice(1);
  if (numbers.length > names.length && areIds(numbers)) {
    const used = new Set([...names, ...numbers]);
    [names, numbers] = [tokens.filter((token) => used.has(token)), []];
  }
  return { names, numbers, gaps: tokens.filter((token) => kind(token) === "gap") };
};
