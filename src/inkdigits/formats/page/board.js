"use strict";

/* The board: a canvas that is drawn on with pen, finger, mouse or the keyboard.

   It keeps the strokes and the ink they make. Strokes are never changed once they have ended, so
   that `undo` has only to go back to the list of before, a clearing too. */

const KEY_STEP = 5; // of the sheet, an arrow key's; with Shift four times as far

const ARROWS = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

class Board {
  /* Calls changed() whenever there is other ink or another picture to show, ended() when a stroke
     or another action is over, and penMoved("down" or "up") when the keyboard's pen is. */
  constructor(canvas, { changed, ended, penMoved }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.tell = { changed, ended, penMoved };
    this.strokes = [];
    this.past = []; // the lists of strokes that there were
    this.current = null; // the stroke that is being drawn
    this.pointer = null; // the one pointer that draws; others are a palm, or a second finger
    this.brush = 20;
    this.ink = inkOf(SHEET, SHEET);
    this.pen = { x: SHEET / 2, y: SHEET / 4, shown: false };
    this.held = new Set(); // arrow keys, so that two of them go aslant
    this.listen();
  }

  get empty() {
    return this.strokes.length === 0 && this.current === null;
  }

  get drawing() {
    return this.current !== null;
  }

  begin(point) {
    this.end();
    this.current = { width: this.brush, points: [] };
    this.add(point);
  }

  add(point) {
    const { width, points } = this.current;
    inkLine(this.ink, points.at(-1) ?? point, point, width);
    points.push(point);
    this.tell.changed();
  }

  end() {
    if (!this.drawing) return;
    const strokes = [...this.strokes, this.current];
    this.current = null;
    this.past.push(this.strokes);
    this.show(strokes);
  }

  undo() {
    this.stop();
    if (this.past.length) this.show(this.past.pop());
  }

  clear() {
    this.stop();
    if (this.empty) return;
    this.past.push(this.strokes);
    this.show([]);
  }

  /* Ends what is being drawn, whoever draws it. */
  stop() {
    if (this.drawing && this.pointer === null) this.tell.penMoved("up");
    this.pointer = null;
    this.end();
  }

  show(strokes) {
    this.strokes = strokes;
    this.ink = inkOf(SHEET, SHEET);
    for (const stroke of strokes) inkStroke(this.ink, stroke);
    this.tell.changed();
    this.tell.ended();
  }

  listen() {
    const on = (kind, listener) => this.canvas.addEventListener(kind, listener);
    on("pointerdown", (event) => this.pointerDown(event));
    on("pointermove", (event) => this.pointerMove(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      on(kind, (event) => event.pointerId === this.pointer && this.stop());
    }
    on("keydown", (event) => this.keyDown(event));
    on("keyup", (event) => this.held.delete(event.key));
    on("focus", () => this.showPen(this.canvas.matches(":focus-visible")));
    on("blur", () => {
      this.held.clear();
      this.stop();
      this.showPen(false);
    });
    new ResizeObserver(() => this.tell.changed()).observe(this.canvas);
  }

  /* Where the pointer is on the sheet. */
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((clientX - left) * SHEET) / width, ((clientY - top) * SHEET) / height];
  }

  pointerDown(event) {
    if (this.pointer !== null || event.button !== 0) return;
    this.stop();
    this.showPen(false);
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.place(event));
  }

  pointerMove(event) {
    if (event.pointerId !== this.pointer) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) this.add(this.place(move));
  }

  keyDown(event) {
    const command = event.ctrlKey || event.metaKey;
    if (event.key in ARROWS && !command && !event.altKey) {
      this.held.add(event.key);
      this.movePen(event.shiftKey ? 4 * KEY_STEP : KEY_STEP);
    } else if (event.key === " ") {
      if (!event.repeat) this.turnPen();
    } else if (event.key === "Backspace" || (command && event.key.toLowerCase() === "z")) {
      this.undo();
    } else if (event.key === "Delete" || event.key === "Escape") {
      this.clear();
    } else {
      return; // Tab above all, which must lead away from here
    }
    event.preventDefault();
  }

  movePen(step) {
    const within = (place) => Math.min(Math.max(place, 0), SHEET);
    for (const key of this.held) {
      this.pen.x = within(this.pen.x + step * ARROWS[key][0]);
      this.pen.y = within(this.pen.y + step * ARROWS[key][1]);
    }
    if (this.drawing) this.add([this.pen.x, this.pen.y]);
    this.showPen(true);
  }

  /* Lowers the pen, or lifts it. */
  turnPen() {
    this.showPen(true);
    if (this.drawing) {
      this.stop();
    } else {
      this.begin([this.pen.x, this.pen.y]);
      this.tell.penMoved("down");
    }
  }

  showPen(shown) {
    this.pen.shown = shown;
    this.tell.changed();
  }

  /* Draws all that there is, as fine as the screen can show it. */
  draw() {
    const { canvas, context } = this;
    const side = Math.max(1, Math.round(canvas.clientWidth * window.devicePixelRatio));
    if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
    const style = getComputedStyle(canvas);
    context.setTransform(side / SHEET, 0, 0, side / SHEET, 0, 0);
    context.clearRect(0, 0, SHEET, SHEET);
    context.strokeStyle = context.fillStyle = style.color;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.drawing ? [...this.strokes, this.current] : this.strokes) {
      this.drawStroke(stroke);
    }
    if (this.pen.shown) this.drawPen(style.getPropertyValue("--accent"));
  }

  drawStroke({ width, points }) {
    const { context } = this;
    const [x, y] = points[0];
    context.beginPath();
    context.arc(x, y, width / 2, 0, 2 * Math.PI); // a line without length may not be drawn
    context.fill();
    context.beginPath();
    context.lineWidth = width;
    for (const point of points) context.lineTo(...point);
    context.stroke();
  }

  /* A ring where the pen is, filled while it is down. */
  drawPen(colour) {
    const { context, pen } = this;
    context.beginPath();
    context.arc(pen.x, pen.y, Math.max(6, this.brush / 2), 0, 2 * Math.PI);
    context.lineWidth = 3;
    context.strokeStyle = context.fillStyle = colour;
    if (this.drawing) context.fill();
    context.stroke();
  }
}
