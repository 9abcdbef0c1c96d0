/* An explanation in words that need no statistics: what speaks for an answer, what against it, and how far to believe that. */

const MOST = 3; // parts that are named
const WORTH = 0.15; // of the heaviest: a part that weighs less is not named
const CLEAR = 0.05; // by so much parts that count most must matter more than parts at random, of all there is
const FAINT = 0.25; // of an answer's part: what it hangs on less is not named
const PAIRS = 6; // parts of the answer that are named

/** A list in words: "a, b and c". */
function listed(items) {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** What a part is called; quotes keep the direction of what they hold. */
function called(kind, label) {
  if (kind === "text") return `“\u2068${label}\u2069”`;
  if (kind === "image") return `the patch in ${label}`;
  if (kind === "audio") return `what is heard from ${label}`;
  const steps = /^-(\d+)$/.exec(label)?.[1];
  if (kind === "series" && steps) return steps === "1" ? "the latest value" : `the value ${steps} steps from the end`;
  return `\u2068${label}\u2069`;
}

/** found: an explanation -> sentences. */
export function reasons(found) {
  const many = Object.keys(found.fields).length > 1;
  const parts = Object.entries(found.fields).flatMap(([name, field]) => field.units.map((u) => ({
    weight: u.weight, name: called(field.kind, u.label) + (many && field.kind !== "row" ? ` (${name})` : "") })));
  const most = Math.max(1e-12, ...parts.map((p) => Math.abs(p.weight)));
  const heavy = (sign) => parts.filter((p) => sign * p.weight > WORTH * most).sort((a, b) => sign * (b.weight - a.weight)).slice(0, MOST);
  const [pro, contra] = [heavy(1), heavy(-1)].map((some) => [...new Set(some.map((p) => p.name))]);
  const sentences = [];
  if (pro.length) sentences.push(`What speaks most for this answer: ${listed(pro)}.`);
  if (contra.length) sentences.push(`What speaks against it: ${listed(contra)}.`);
  if (!pro.length && !contra.length) sentences.push("No single part decides this answer.");
  const columns = found.attention?.title ? found.attention.columns.map((c) => called("text", c)) : parts.map((p) => p.name);
  return [...sentences, ...hangs(found.attention, columns)];
}

/** "“maison” hangs on “house”", for the parts of the answer where that is plainest; names are those of the input's parts. */
function hangs(attention, names) {
  if (!attention?.rows?.length) return [];
  const plain = attention.rows.map((row, i) => {
    const shares = attention.weights[i].map((share, j) => ({ share, name: names[j] })).sort((a, b) => b.share - a.share);
    return { row, i, best: shares.filter((s) => s.share >= FAINT).slice(0, 2) };
  }).filter((r) => r.best.length && /[\p{L}\p{N}]/u.test(r.row) && r.row !== "(end)");
  const shown = plain.sort((a, b) => b.best[0].share - a.best[0].share).slice(0, PAIRS).sort((a, b) => a.i - b.i);
  if (!shown.length) return [];
  const quoted = (text) => (/^\+\d+$/.test(text) ? `step ${text}` : `“\u2068${text}\u2069”`);
  const verb = attention.title ? "goes with" : "hangs on";
  return [`${shown.map((r) => `${quoted(r.row)} ${verb} ${listed(r.best.map((s) => s.name))}`).join("; ")}.`];
}

/** Whether the explanation passed its own check, in a sentence. */
export function checked(faith) {
  if (typeof faith?.deletion !== "number") return "";
  return faith.random - faith.deletion > CLEAR
    ? "Without the parts that count most, the answer changed more than without as many parts at random. So these do matter."
    : "Without the parts that count most, the answer changed hardly more than without as many parts at random. " +
      "So do not rely on this explanation.";
}
