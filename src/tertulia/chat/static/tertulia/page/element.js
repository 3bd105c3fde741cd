import { render } from "#lit-html";
import { paint } from "./live.js";

/**
 * A part of the page: a custom element without a shadow, so that the style sheets and a host's
 * own reach it. It paints itself while it is in the page, and again after any signal or any
 * `live()` thing that its template read has changed. Parts are made by `new`, which hands them
 * what they show.
 */
export class Part extends HTMLElement {
  #stop = () => {};

  connectedCallback() {
    this.#stop = paint(() => this.draw());
  }

  disconnectedCallback() {
    this.#stop();
  }

  draw() {
    render(this.template(), this);
    this.painted();
  }

  /** @returns {any} what is inside */
  template() {
    return "";
  }

  /** After each painting: what only the finished page can tell (sizes, focus). */
  painted() {}
}
