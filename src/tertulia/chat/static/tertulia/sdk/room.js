/**
 * @typedef {import("./types.js").Member} Member
 * @typedef {import("./types.js").Person} Person
 * @typedef {import("./types.js").Role} Role
 * @typedef {import("./types.js").RoomState} RoomState
 * @typedef {import("./types.js").DurableEvent} DurableEvent
 */

/** Milliseconds for which a `typing.started` counts. */
export const TYPING_LASTS = 8_000;

/** What a room is at present, apart from its messages: state, members, who is here, who types. */
export class Room {
  /** @type {RoomState | null} null until it is known */
  state = null;
  /** @type {Map<string, Member>} by id; not all of them while `membersMore` is not null */
  members = new Map();
  /** @type {string | null} the cursor of the next page of members */
  membersMore = null;
  /** @type {Person[] | number} above 100 members only how many */
  here = [];
  /** @type {Map<string, {who: Person, until: number}>} by id */
  typing = new Map();
  /** @type {Map<string, number>} in a direct room, up to which seq each has read, by id */
  reads = new Map();

  /** @param {string} slug */
  constructor(slug) {
    this.slug = slug;
  }

  /** @param {{state: RoomState, members: Member[], members_more: string | null}} snapshot */
  begin(snapshot) {
    this.state = snapshot.state;
    this.members = new Map(snapshot.members.map((member) => [member.id, member]));
    this.membersMore = snapshot.members_more ?? null;
    // What has come before the snapshot may be newer than it.
    if (this.state.kind !== "direct") this.reads.clear();
    for (const { id, read } of snapshot.members) if (read !== undefined) this.hasRead(id, read);
  }

  /**
   * Somebody has read up to there. News may overtake each other: a lower one changes nothing.
   *
   * @param {string} id
   * @param {number} seq
   */
  hasRead(id, seq) {
    if (this.state !== null && this.state.kind !== "direct") return;
    this.reads.set(id, Math.max(seq, this.reads.get(id) ?? 0));
  }

  /**
   * A further page of members.
   *
   * @param {{members: Member[], more: string | null}} page
   */
  addMembers(page) {
    for (const member of page.members) {
      if (!this.members.has(member.id)) this.members.set(member.id, member);
    }
    this.membersMore = page.more;
  }

  /** @param {Role | null} role */
  setMyRole(role) {
    if (this.state) this.state = { ...this.state, role };
  }

  /** @param {DurableEvent} event */
  apply(event) {
    if (event.type === "room.updated" && event.state && this.state) {
      this.state = { ...this.state, ...event.state };
    } else if (event.type === "message.created" && event.message && this.state) {
      this.state = { ...this.state, messages: event.message.number };
      this.typing.delete(event.actor.id);
      // Sending marks read, without further news.
      this.hasRead(event.actor.id, event.seq);
    } else if (event.type === "member.left" && event.member) {
      this.members.delete(event.member.id);
      this.typing.delete(event.member.id);
      this.reads.delete(event.member.id);
    } else if (event.member && event.role) {
      this.members.set(event.member.id, { ...event.member, role: event.role });
      if (event.type === "member.joined") this.hasRead(event.member.id, event.seq);
    }
  }

  /**
   * @param {any} frame a passing event of this room
   * @param {number} now in milliseconds
   */
  pass(frame, now) {
    if (frame.type === "typing.started") {
      this.typing.set(frame.who.id, { who: frame.who, until: now + TYPING_LASTS });
    } else if (frame.type === "typing.stopped") this.typing.delete(frame.who.id);
    else if (frame.type === "presence.changed") this.here = frame.here;
    else if (frame.type === "read.changed") this.hasRead(frame.who.id, frame.read);
    else if (frame.type === "person.changed") this.#rename(frame.who);
  }

  /** @param {Person} who under another name or with another picture */
  #rename(who) {
    const member = this.members.get(who.id);
    if (member) this.members.set(who.id, { ...member, ...who });
    const typing = this.typing.get(who.id);
    if (typing) this.typing.set(who.id, { ...typing, who });
    if (Array.isArray(this.here)) {
      this.here = this.here.map((person) => (person.id === who.id ? who : person));
    }
  }

  /** @param {number} now in milliseconds */
  expireTyping(now) {
    for (const [id, { until }] of this.typing) if (until <= now) this.typing.delete(id);
  }

  /** Without a connection nobody can be said to be here. */
  leaveAll() {
    this.here = [];
    this.typing.clear();
  }
}
