/** A clock that stands still until it is told to go on. */
export class FakeClock {
  #now = 1_000_000;
  #timers = new Map();
  #last = 0;

  setTimeout = (act, ms) => {
    this.#timers.set(++this.#last, { act, at: this.#now + ms });
    return this.#last;
  };

  clearTimeout = (timer) => void this.#timers.delete(timer);

  now = () => this.#now;

  /** Let `ms` pass, running what falls due in its order. */
  async pass(ms) {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end);
      due.sort(([, a], [, b]) => a.at - b.at);
      if (due.length === 0) break;
      const [id, { act, at }] = due[0];
      this.#timers.delete(id);
      this.#now = at;
      act();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Let every promise that can go on, go on. */
export async function settle() {
  await new Promise((resolve) => setImmediate(resolve));
}

/** What stands in for the server: all sockets that were opened, the newest last. */
export class FakeNetwork {
  sockets = [];

  get WebSocket() {
    const network = this;
    return class {
      sent = [];
      closed = false;

      constructor(url, protocols) {
        this.url = url;
        this.protocols = protocols;
        network.sockets.push(this);
      }

      send(data) {
        if (this.closed) throw new Error("The socket is closed.");
        this.sent.push(JSON.parse(data));
      }

      close() {
        this.closed = true;
      }
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** The commands of one type that the present socket was given. */
  commands(type) {
    return this.socket.sent.filter((frame) => frame.type === type);
  }

  /** A frame from the server. */
  async give(frame) {
    this.socket.onmessage({ data: JSON.stringify(frame) });
    await settle();
  }

  /** Several frames at once, before any promise goes on. */
  async giveAll(frames) {
    for (const frame of frames) this.socket.onmessage({ data: JSON.stringify(frame) });
    await settle();
  }

  async welcome(changes = {}) {
    this.socket.onopen({});
    await this.give({ ...WELCOME, ...changes });
  }

  /** Answer the newest command of a type. */
  async answer(type, result = {}) {
    const { ref } = this.commands(type).at(-1);
    await this.give({ type: "reply", ref, ok: true, result });
  }

  async refuse(type, error) {
    const { ref } = this.commands(type).at(-1);
    await this.give({ type: "reply", ref, ok: false, error: { detail: "No.", ...error } });
  }

  async close(code = 1006, reason = "") {
    this.socket.closed = true;
    this.socket.onclose({ code, reason });
    await settle();
  }
}

export const ANA = { id: "a1", name: "ana", kind: "member", avatar: null };
export const BEA = { id: "b2", name: "bea", kind: "member", avatar: null };

export const WELCOME = {
  type: "welcome",
  protocol: 1,
  epoch: "e1",
  me: ANA,
  heartbeat: 25,
  limits: { frame: 131072, text: 10000, page: 100, resume: 500 },
};

export const STATE = {
  room: "lobby",
  name: "Lobby",
  kind: "public",
  topic: "",
  archived: false,
  messages: 0,
  role: "member",
};

export function message(seq, changes = {}) {
  return {
    seq,
    version: seq,
    number: seq,
    key: `key-${seq}`,
    author: BEA,
    text: `text ${seq}`,
    html: `<p>text ${seq}</p>`,
    sent_at: "2026-11-21T08:00:00.000Z",
    edited_at: null,
    deleted: false,
    reply_to: null,
    mentions: [],
    attachments: [],
    reactions: [],
    ...changes,
  };
}

export function event(type, seq, changes = {}) {
  return { type, room: "lobby", seq, at: "2026-11-21T08:00:00.000Z", actor: BEA, ...changes };
}

export function created(seq, changes = {}) {
  const author = changes.author ?? BEA;
  return event("message.created", seq, { actor: author, message: message(seq, changes) });
}

/** The result of `room.subscribe` without a resume. */
export function snapshot(head, messages, changes = {}) {
  return {
    state: { ...STATE, messages: messages.length },
    head,
    read: 0,
    messages,
    messages_more: null,
    members: [{ ...ANA, role: "owner" }],
    members_more: null,
    ...changes,
  };
}
