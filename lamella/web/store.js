/* What was typed, kept in this browser tab (sessionStorage): on this machine alone, until the tab is closed.

   It outlives a reload and a look at another view. Where a browser keeps nothing, or there is too much, it is kept in
   memory, which outlives the look at another view.
*/

const PREFIX = "lamella ";
const memory = new Map();

export function keep(name, value) {
  memory.set(name, value);
  try {
    sessionStorage.removeItem(PREFIX + name); // what does not fit must not leave an older text behind
    if (value !== null) sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    /* it is in memory */
  }
}

export function kept(name) {
  if (memory.has(name)) return memory.get(name);
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}
