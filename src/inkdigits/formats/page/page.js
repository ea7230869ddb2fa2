"use strict";

/* The page itself: what is drawn goes to the network, and what the network says is shown. */

const SURE = 0.9; // confidence from here on is called sure
const UNSURE = 0.5; // and below this not sure, whatever the model's own threshold

(function start() {
  const find = (id) => document.getElementById(id);
  const model = JSON.parse(find("model").textContent);
  const network = networkFrom(model, find("weights").textContent.trim());
  const read = (glyph) => answerFrom(predict(network, glyph), model);
  const glyphOfInk = (ink) => glyphOf(ink, model.strokeWidths);

  for (const element of document.querySelectorAll("[data-words]")) {
    element.textContent = WORDS[element.dataset.words];
  }

  /* Elements made from what is nested: made("tr", made("td", "text")). */
  function made(name, ...children) {
    const element = document.createElement(name);
    element.append(...children);
    return element;
  }

  function heading(text) {
    const cell = made("th", text);
    cell.scope = "row";
    return cell;
  }

  /* The bars: a row for each digit, and one for none where the network tells. */
  const names = [...Array(10).keys()].map(String);
  const rows = [...names, ...(model.tells ? [WORDS.barNone] : [])].map((name) => {
    const [fill, value] = [made("span"), made("data")];
    const track = made("span", fill);
    track.className = "track";
    const row = made("tr", heading(name), made("td", made("div", track, value)));
    find("bars").append(row);
    return { row, fill, value };
  });

  function showBars(values, best) {
    rows.forEach(({ row, fill, value }, n) => {
      row.classList.toggle("best", n === best);
      fill.style.transform = `scaleX(${values[n] ?? 0})`;
      value.value = String(values[n] ?? "");
      value.textContent = WORDS.probability(values[n]);
    });
  }

  /* White ink on black, whatever the theme: it is what the network gets. */
  function showGlyph(glyph) {
    const context = find("glyph").getContext("2d");
    const picture = context.createImageData(SIDE, SIDE);
    glyph.forEach((level, n) => picture.data.set([level, level, level, 255], 4 * n));
    context.putImageData(picture, 0, 0);
  }

  /* What is said of an answer: in large letters, in a line below, and aloud. */
  function verdict(answer) {
    if (answer === null) {
      return { kind: "nothing", large: WORDS.nothingYet, small: WORDS.nothingKnown };
    }
    const unsure = answer.rejected || answer.confidence < UNSURE;
    if (unsure && answer.notADigit !== null && answer.notADigit >= answer.confidence) {
      const small = WORDS.noneKnown(answer);
      return { kind: "none", large: WORDS.notADigit, small, aloud: `${WORDS.notADigit}. ${small}` };
    }
    const sure = !unsure && answer.confidence >= SURE;
    const words = unsure ? WORDS.notSure : sure ? WORDS.sure : WORDS.fairlySure;
    return {
      kind: unsure ? "unsure" : "digit",
      large: String(answer.digit) + (unsure ? "?" : ""),
      small: WORDS.sureness(answer, words),
      aloud: WORDS.spoken(answer, words),
    };
  }

  function show(answer) {
    const { kind, large, small } = verdict(answer);
    find("reading").dataset.kind = kind;
    find("answer").value = large;
    find("sureness").textContent = small;
    const probabilities = answer?.probabilities ?? Array(10).fill(null);
    const best = kind === "digit" ? answer.digit : kind === "none" ? 10 : -1;
    showBars([...probabilities, answer?.notADigit ?? null], best);
  }

  /* Reading waits for the next frame, and takes at most half the time while one draws: a stroke
     must not stutter on a slow phone. */
  let [scheduled, stale, pause, finished] = [false, true, 0, false];
  let last = null;

  function frame(now) {
    scheduled = false;
    board.draw();
    find("hint").hidden = !board.empty;
    if (stale && (!board.drawing || now >= pause)) {
      const started = performance.now();
      const glyph = glyphOfInk(board.ink);
      last = glyph && read(glyph);
      showGlyph(glyph ?? new Uint8Array(SIDE * SIDE));
      show(last);
      stale = false;
      pause = 2 * performance.now() - started;
    }
    if (stale) schedule();
    else if (finished) speak();
  }

  function schedule() {
    if (!scheduled) requestAnimationFrame(frame);
    scheduled = true;
  }

  /* Aloud only after a stroke, never during it. */
  function speak() {
    finished = false;
    find("aloud").textContent = last ? verdict(last).aloud : WORDS.nothingYet;
  }

  const board = new Board(find("board"), {
    changed() {
      stale = true;
      schedule();
    },
    ended() {
      finished = true;
    },
    penMoved(where) {
      find("aloud").textContent = where === "down" ? WORDS.penDown : WORDS.penUp;
    },
  });

  board.canvas.setAttribute("aria-label", WORDS.board);
  find("glyph").setAttribute("aria-label", WORDS.glyph);
  find("brush").addEventListener("input", (event) => {
    board.brush = event.target.valueAsNumber;
  });
  find("undo").addEventListener("click", () => board.undo());
  find("clear").addEventListener("click", () => board.clear());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", schedule);

  /* The layers, with what comes out of each and how many parameters it has. */
  for (const { name, options, shape, parameters } of model.layers) {
    const kind = made("th", WORDS.kinds[name](options), " ", made("code", name));
    kind.scope = "row";
    const count = parameters ? WORDS.count(parameters) : "–";
    find("layers").append(made("tr", kind, made("td", WORDS.size(shape)), made("td", count)));
  }
  find("total").textContent = WORDS.count(model.parameters);
  find("about").textContent = WORDS.model(model);
  find("none").hidden = !model.tells;
  schedule();

  /* For tests, and for whoever is curious in the console:

     read(glyph)                 the answer for 784 bytes, as `answerFrom` in network.js gives it
     glyphOf(values, height, width)   the glyph of ink, 784 bytes; null where there is none
     ink()                       { height, width, values } of what is drawn now
     network                     its layers, with their weights */
  window.inkdigits = {
    read,
    glyphOf: (values, height, width) => glyphOfInk(inkOf(height, width, Uint8Array.from(values))),
    ink: () => board.ink,
    network,
  };
})();
