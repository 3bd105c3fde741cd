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

  /** @param {string} slug */
  constructor(slug) {
    this.slug = slug;
  }

  /** @param {{state: RoomState, members: Member[], members_more: string | null}} snapshot */
  begin(snapshot) {
    this.state = snapshot.state;
    this.members = new Map(snapshot.members.map((member) => [member.id, member]));
    this.membersMore = snapshot.members_more ?? null;
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
    } else if (event.type === "member.left" && event.member) {
      this.members.delete(event.member.id);
      this.typing.delete(event.member.id);
    } else if (event.member && event.role) {
      this.members.set(event.member.id, { ...event.member, role: event.role });
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
