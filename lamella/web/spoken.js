/* What was said, word by word: press a word and hear it. */

import { button, clear, el, percent } from "./dom.js";

const FAINT = 0.5; // below this a word is marked as unsure
const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;

/** found: {text, words: [{word, start, end, confidence}], confidence, reason} -> elements. */
export function spoken(sound, found) {
  if (!found.words.length) {
    return [el("p", { class: "headline" }, "Nothing was said."), el("p", { class: "quiet" }, found.reason)];
  }
  const player = el("audio", { src: sound });
  let until = 0;
  player.addEventListener("timeupdate", () => { if (player.currentTime >= until) player.pause(); });
  const hear = (word) => {
    until = word.end + 0.05;
    player.currentTime = Math.max(0, word.start - 0.05);
    player.play().catch(() => {}); // pressed again, or another word, before it began
  };
  const note = el("p", { class: "quiet", role: "status" }, `${percent(found.confidence)} sure. Press a word to hear it.`);
  const words = found.words.map((word) => button(word.word, () => {
    hear(word);
    clear(note, `${word.word}: ${clock(word.start)} to ${clock(word.end)}, ${percent(word.confidence)} sure`);
  }, {
    class: word.confidence < FAINT && "unsure",
    title: `${clock(word.start)} to ${clock(word.end)}, ${percent(word.confidence)} sure`,
  }));
  return [el("p", { class: "prose spoken", dir: "auto" }, words.flatMap((node) => [node, " "])), note, player];
}
