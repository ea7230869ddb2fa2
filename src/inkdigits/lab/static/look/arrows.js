/* Many things as one stop of the Tab key, with arrow keys from one to the next. */

/** @param {KeyboardEvent} event */
export const modified = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;

/**
 * The one of a group that Tab finds.
 *
 * @param {Element} group
 * @returns {HTMLElement | null}
 */
export const stopOf = (group) => group.querySelector('[tabindex="0"]');

/**
 * Makes one of a group the only one that Tab finds.
 *
 * @param {Element} group
 * @param {Element | null | undefined} chosen
 */
export function moveStop(group, chosen) {
  stopOf(group)?.setAttribute("tabindex", "-1");
  chosen?.setAttribute("tabindex", "0");
}

/**
 * Lets arrow keys move the focus among all with a `tabindex` in a group: left and right in their
 * order, up and down to the nearest that stands there on the page.
 *
 * @param {HTMLElement} group
 */
export function withArrows(group) {
  group.addEventListener("focusin", ({ target }) => {
    if (target instanceof Element && target.hasAttribute("tabindex")) moveStop(group, target);
  });
  group.addEventListener("keydown", (event) => {
    const every = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[tabindex]")]);
    const all = every.filter((one) => one.getClientRects().length); // what is folded away is not
    const from = all.findIndex((one) => one === event.target);
    if (from < 0 || modified(event)) return;
    const { left, top, width } = all[from].getBoundingClientRect();
    const inColumn = all.filter(
      (one) => Math.abs(one.getBoundingClientRect().left - left) < width / 2,
    );
    const topOf = (/** @type {HTMLElement} */ one) => one.getBoundingClientRect().top;
    /** @type {Record<string, () => HTMLElement | undefined>} */
    const ways = {
      ArrowLeft: () => all[from - 1],
      ArrowRight: () => all[from + 1],
      ArrowUp: () => inColumn.reverse().find((one) => topOf(one) < top),
      ArrowDown: () => inColumn.find((one) => topOf(one) > top),
      Home: () => all[0],
      End: () => all[all.length - 1],
    };
    if (!(event.key in ways)) return;
    event.preventDefault();
    ways[event.key]()?.focus();
  });
}
