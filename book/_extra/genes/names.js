// Names to genes as genept_utils.genes.match finds them: the same steps, with the patterns and
// lists of the module (genes.rules); tests/browser/test_names.py compares the two.
genept.names = (() => {
  const FEW = 10;
  const pattern = ([source, flags], more = "") =>
    new RegExp(source, [...new Set(flags + more)].join(""));
  const whole = ([source, flags]) => new RegExp(`^(?:${source})$`, flags);
  const isNumber = (text) => /^\p{Nd}+$/u.test(text);
  const isPlain = (text) => /^[A-Za-z0-9]+$/.test(text);
  const dots = (text) => text.replace(/[^A-Z0-9]+/g, ".");

  // What is made of all names once: signs as dots, numbered families, aliases without a hyphen.
  const knowledge = (genes) => {
    const { exact, folded } = genes.names, rules = genes.rules;
    const signs = new Map(), stems = new Set(), joined = new Map(), hyphen = whole(rules.hyphen);
    for (const [name, held] of folded) {
      if (hyphen.test(name)) joined.set(name.replace("-", ""), held.rows);
      if (held.tier === 0) {
        const numbered = /^(.+)[-._]\d+$/.exec(name);
        if (numbered) stems.add(dots(numbered[1]));
      }
      if (held.tier === genept.ALIAS) continue;
      const key = dots(name), other = signs.get(key);
      if (!other || held.tier < other.tier) signs.set(key, { tier: held.tier, rows: held.rows });
      else if (held.tier === other.tier)
        other.rows = [...new Set([...other.rows, ...held.rows])];
    }
    const entrez = new Map(genes.entrez.map((id, row) => [id, [row]]));
    entrez.delete("");
    const compiled = Object.fromEntries(["genome", "gff", "suffix", "version", "numbered", "hgnc",
      "withEntrez", "transcript", "ensembl"].map((key) => [key, pattern(rules[key])]));
    return { exact, folded, signs, stems, joined, entrez, rules, ...compiled,
      several: pattern(rules.several), plain: whole(rules.plain), date: whole(rules.date) };
  };

  const rowsOf = (name, known) =>
    (known.exact.get(name) || known.folded.get(name.toUpperCase()) || { rows: [] }).rows;
  const union = (...lists) => [...new Set(lists.flat())];

  const basesOf = (names, known) => {
    const bases = new Map();
    for (const name of names) {
      const end = /\d$/.test(name) && !isPlain(name) ? known.suffix.exec(name) : null;
      if (end) bases.set(name, name.slice(0, end.index).toUpperCase());
    }
    return bases;
  };

  // What stands before the number in codes such as "PC_1" to "PC_50".
  const codesOf = (bases, n, known) => {
    const each = new Map();
    for (const [name, base] of bases)
      if (!known.transcript.test(name.slice(-4))) each.set(base, (each.get(base) || 0) + 1);
    const sizes = [...each.values()].sort((a, b) => a - b), half = sizes.length >> 1;
    const median = sizes.length % 2 ? sizes[half] : (sizes[half - 1] + sizes[half]) / 2;
    const many = sizes.length < FEW ? FEW : Math.max(FEW, 3 * median);
    return new Set([...each].filter(([, count]) =>
      count > many || count >= Math.max(3, n / 2)).map(([base]) => base));
  };

  const otherSigns = (name, given, known, codes) => {
    const asIs = (known.signs.get(dots(name)) || { rows: [] }).rows;
    if (given === name || isNumber(given) || codes.has(given)) return asIs;
    const base = dots(given), without = (known.signs.get(base) || { rows: [] }).rows;
    if (!asIs.length) return known.stems.has(base) ? [] : without;
    return without.length ? union(asIs, without) : asIs;
  };

  const greek = (name, known) => union(...[false, true].map((asWord) => {
    const signs = [...name.toLowerCase()].map((sign) => {
      const letter = known.rules.greek[sign];
      return letter ? (asWord ? letter : letter[0]) : sign;
    }).join("");
    const found = rowsOf(signs, known);
    return found.length ? found : rowsOf(signs.replaceAll("-", ""), known);
  }));

  const several = (name, known) => {
    const parts = name.split(known.several).filter(Boolean)
      .map((part) => part.replace(known.version, ""));
    if (parts.some(isNumber) && (parts.length < 3 || name.includes(","))) return [];
    const found = parts.map((part) => rowsOf(part, known));
    return found.every((rows) => rows.length) ? union(...found) : [];
  };

  // Symbol and identifier in one; null for another name.
  const together = (name, known) => {
    const trim = (text) => {
      const ends = known.rules.ends;
      let from = 0, to = text.length;
      while (from < to && ends.includes(text[from])) from++;
      while (to > from && ends.includes(text[to - 1])) to--;
      return text.slice(from, to);
    };
    const ensembl = known.ensembl.exec(name);
    const found = ensembl || (name.includes(":") ? known.hgnc.exec(name) : null);
    let byId, symbol;
    if (found) {
      const id = ensembl ? found[1] : found[0];
      byId = rowsOf(id, known);
      if (!byId.length && ensembl && id.toUpperCase().slice(0, -11) !== "ENSG") return [];
      symbol = trim(name.slice(0, found.index) + name.slice(found.index + found[0].length));
    } else {
      const pair = known.withEntrez.exec(name);
      if (!pair) return null;
      byId = known.entrez.get(pair[2] || pair[3] || pair[4]) || [];
      symbol = pair[1] || pair[5];
    }
    const bySymbol = !symbol || isNumber(symbol) ? [] : rowsOf(symbol, known);
    if (!byId.length || !bySymbol.length) return byId.length ? byId : bySymbol;
    const both = byId.filter((row) => bySymbol.includes(row));
    return both.length ? both : union(byId, bySymbol);
  };

  const rewritten = (name, known, bases, codes) => {
    if (isPlain(name) && !/^LOC/i.test(name)) return known.joined.get(name.toUpperCase()) || [];
    const upper = name.toUpperCase();
    if (known.plain.test(name) && !isPlain(name) && !known.genome.test(name))
      return otherSigns(upper, bases.get(name) ?? upper, known, codes);
    if ([...name.toLowerCase()].some((sign) => known.rules.greek[sign]) && /[a-z]/i.test(name))
      return greek(name, known);
    const number = known.numbered.exec(name);
    if (number) return known.entrez.get(number[1]) || [];
    const ids = name.match(new RegExp(known.ensembl.source, "gi")) || [];
    if (ids.length !== 1 && !known.hgnc.test(name) && !known.withEntrez.test(name) &&
        known.several.test(name)) {
      const found = several(name, known);
      if (found.length) return found;
    }
    const plain = name.replace(known.genome, "").replace(known.gff, "");
    if (plain !== name) {
      if (isNumber(plain)) return [];
      const found = rowsOf(plain, known);
      if (found.length) return found;
    }
    const pair = together(plain, known);
    if (pair) return pair;
    const letters = plain.toUpperCase();
    return otherSigns(letters, letters.replace(known.suffix, ""), known, codes);
  };

  const fromDate = (name, known) => {
    const parts = known.date.exec(name);
    if (!parts) return [];
    const { d1, m1, m2, d2, m3, d3 } = parts.groups, month = m1 || m2;
    const stems = known.rules.stems[month ? known.rules.months[month.toLowerCase()] : Number(m3)];
    const held = (stems || []).map((stem) => known.folded.get(stem + Number(d1 || d2 || d3)))
      .filter(Boolean);
    const best = Math.min(...held.map(({ tier }) => tier));
    return union(...held.filter(({ tier }) => tier === best).map(({ rows }) => rows));
  };

  // Codes such as "V1", "V2", ...: a few of them are always the alias of some gene.
  const positions = (names, found) => {
    const none = names.map(() => false), share = found.filter(Boolean).length / names.length;
    if (names.length < FEW || share >= 0.75) return none;
    const stems = names.map((name) => name.replace(/\d+$/, "")), each = new Map();
    stems.forEach((stem, i) => {
      if (stem.length < names[i].length && /^[A-Za-z]+[-_. ]?$/.test(stem))
        each.set(stem, (each.get(stem) || 0) + 1);
    });
    if (!each.size) return none;
    const [stem] = [...each].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
    const same = names.map((name, i) => stems[i] === stem && name !== stem);
    const count = same.filter(Boolean).length;
    if (count < FEW || count < names.length / 2 ||
        same.filter((yes, i) => yes && found[i]).length / count >= 0.5) return none;
    const numbers = names.filter((_, i) => same[i]).map((name) => Number(name.slice(stem.length)));
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return new Set(numbers).size / (high - low + 1) >= 0.5 ? same : none;
  };

  // Names -> [{ name, how, row, candidates, mouse }]; mouse is a human ortholog's row, or -1.
  const match = (genes, names) => {
    const known = (genes.known ||= knowledge(genes)), distinct = [...new Set(names)];
    const bare = distinct.map(genept.bare);
    const bases = basesOf(bare, known), codes = codesOf(bases, bare.length, known);
    const found = distinct.map((name, i) => {
      const one = genept.match(genes, name);
      if (one.how !== "missing" || !name || name.toLowerCase() === "nan") return one;
      const dated = fromDate(name, known);
      const rows = dated.length ? dated : rewritten(bare[i], known, bases, codes);
      if (rows.length > 1) return { how: "ambiguous", row: -1, candidates: rows };
      return rows.length ? { how: dated.length ? "date" : "rewritten", row: rows[0],
        candidates: [] } : one;
    });
    const none = { how: "missing", row: -1, candidates: [] };
    positions(distinct, found.map(({ how }) => how !== "missing")).forEach((yes, i) => {
      if (yes) found[i] = none;
    });
    const at = new Map(distinct.map((name, i) => [name, found[i]]));
    return names.map((name) => ({ name, ...at.get(name),
      mouse: at.get(name).how === "missing" ? genes.rules.mouse[name] ?? -1 : -1 }));
  };

  return { match };
})();
