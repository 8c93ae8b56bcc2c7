// What the list page computes: words that mark a list, closeness, nearest genes. The same as
// genept_utils.embed.marking_words and nearest_to_list, on the same numbers.
genept.lists = (() => {
  // --- words -------------------------------------------------------------------------------
  // { words, rows, genes: per word the numbers of its described genes }
  const readWords = (buffer) => {
    const bytes = new Uint8Array(buffer), end = bytes.indexOf(10);
    const table = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    const steps = new Uint16Array(buffer.slice(end + 1));
    let at = 0;
    table.genes = table.words.map((_, word) => {
      const genes = new Uint16Array(table.sizes[word]);
      for (let i = 0, sum = 0; i < genes.length; i++) genes[i] = sum += steps[at++];
      return genes;
    });
    table.place = new Map(table.rows.map((row, i) => [row, i]));
    return table;
  };

  const logs = [0];
  const logFactorial = (n) => {
    while (logs.length <= n) logs.push(logs[logs.length - 1] + Math.log(logs.length));
    return logs[n];
  };
  const logChoose = (n, k) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

  // Chance of `least` or more marked among `drawn` of `all`, of which `marked` are.
  const upperTail = (least, all, marked, drawn) => {
    const whole = logChoose(all, drawn), most = Math.min(marked, drawn);
    let sum = 0;
    for (let k = Math.max(least, 0, drawn - (all - marked)); k <= most; k++) {
      const term = Math.exp(logChoose(marked, k) + logChoose(all - marked, drawn - k) - whole);
      sum += term;
      if (term < sum * 1e-17) break;
    }
    return Math.min(sum, 1);
  };

  // Rows of genes -> { list, all, tested, words: [{ word, in_list, in_all, fold, p, q, genes }] }
  const markingWords = (table, rows) => {
    const here = new Set([...new Set(rows)].map((row) => table.place.get(row)));
    here.delete(undefined);
    const list = here.size, all = table.rows.length, known = new Map(), found = [];
    table.words.forEach((word, i) => {
      const genes = [...table.genes[i]].filter((gene) => here.has(gene));
      const inList = genes.length, inAll = table.genes[i].length;
      if (!inList) return;
      const key = inList * 65536 + inAll;
      if (!known.has(key)) known.set(key, upperTail(inList, all, inAll, list));
      found.push({ word, in_list: inList, in_all: inAll, p: known.get(key),
        fold: inList / list / (inAll / all), genes: genes.map((gene) => table.rows[gene]) });
    });
    found.sort((a, b) => a.p - b.p || b.in_list - a.in_list || (a.word < b.word ? -1 : 1));
    let q = 1;
    for (let i = found.length - 1; i >= 0; i--) {
      q = Math.min(q, (found[i].p * table.words.length) / (i + 1));
      found[i].q = q;
    }
    return { list, all, tested: table.words.length, words: found };
  };

  // --- vectors -----------------------------------------------------------------------------
  const readVectors = (buffer) => {
    const n = new Int32Array(buffer, 0, 1)[0];
    const rows = new Uint16Array(buffer, 4, n);
    const codes = new Int8Array(buffer, 4 + 2 * (n + (n % 2)));
    const d = codes.length / n, norms = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = i * d; j < (i + 1) * d; j++) sum += codes[j] * codes[j];
      norms[i] = Math.sqrt(sum) || 1;
    }
    return { n, d, rows, codes, norms, place: new Map([...rows].map((row, i) => [row, i])) };
  };

  // Sum of the unit vectors of some places.
  const total = ({ d, codes, norms }, places) => {
    const sum = new Float64Array(d);
    for (const i of places)
      for (let j = 0, at = i * d; j < d; j++) sum[j] += codes[at + j] / norms[i];
    return sum;
  };

  // Mean cosine between two genes of a list: (|sum|^2 - n) / (n (n - 1)).
  const closeness = (vectors, places) => {
    const n = places.length;
    const squared = total(vectors, places).reduce((sum, value) => sum + value * value, 0);
    return (squared - n) / (n * (n - 1));
  };

  // The same for random lists of that size; the draw is always the same.
  const randomLists = (vectors, size, lists) => {
    let state = 123456789;
    const random = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) / 4294967296;
    };
    return Array.from({ length: lists }, () => {
      const drawn = new Set();
      while (drawn.size < size) drawn.add(Math.floor(random() * vectors.n));
      return closeness(vectors, [...drawn]);
    });
  };

  // The limit of the largest size that a list reaches: { size, limit }.
  const limitOf = (chance, size) => {
    const [reached, limit] = chance.limits.filter(([least]) => least <= size).at(-1);
    return { size: reached, limit };
  };

  // The k genes nearest to the list, the list left out: [{ row, cosine, score }]. Vectors have
  // the mean of all taken away; a score is the cosine by the gene's usual one.
  const nearest = (vectors, chance, places, k) => {
    const { n, d, codes, norms, rows } = vectors, { mean, spread } = chance;
    const squared = mean.reduce((all, value) => all + value * value, 0);
    const dotMean = (i) => {
      let dot = 0;
      for (let j = 0, at = i * d; j < d; j++) dot += codes[at + j] * mean[j];
      return dot / norms[i];
    };
    const length = (i, dot) => Math.sqrt(Math.max(1 - 2 * dot + squared, 1e-12));
    const sum = new Float64Array(d);
    for (const i of places) {
      const size = length(i, dotMean(i));
      for (let j = 0, at = i * d; j < d; j++) sum[j] += (codes[at + j] / norms[i] - mean[j]) / size;
    }
    const norm = Math.sqrt(sum.reduce((all, value) => all + value * value, 0)) || 1;
    const sumMean = sum.reduce((all, value, j) => all + value * mean[j], 0);
    const own = new Set(places), found = [];
    for (let i = 0; i < n; i++) {
      if (own.has(i)) continue;
      let dot = 0, along = 0;
      for (let j = 0, at = i * d; j < d; j++) {
        dot += codes[at + j] * sum[j];
        along += codes[at + j] * mean[j];
      }
      const cosine = (dot / norms[i] - sumMean) / norm / length(i, along / norms[i]);
      const score = cosine / (spread[i] / 1e5);
      if (found.length < k || score > found[k - 1].score) {
        found.push({ row: rows[i], cosine, score });
        found.sort((a, b) => b.score - a.score);
        found.length = Math.min(found.length, k);
      }
    }
    return found;
  };

  return { readWords, markingWords, readVectors, closeness, randomLists, limitOf, nearest };
})();
