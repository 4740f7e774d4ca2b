/** The client of EdgeChat: `import { open } from "https://chat.example/client.js"`. See docs/javascript.md. */

/** A place in a room's history: a line's number and its digest. */
export interface Token {
  seq: number;
  h: string;
}

/** A message. `timestamp` is Unix time in ms. */
export interface Message {
  kind: "line";
  seq: number;
  h: string;
  timestamp: number;
  name: string;
  message: string;
  /** The id that its sender gave it. */
  id: string | null;
  /** It was said just now, while this client was in the room: it is not of the backlog, nor of a resume. */
  live: boolean;
  /** This client said it. */
  mine: boolean;
}

export type Event =
  | Message
  /** A line that is damaged in the room's file. */
  | { kind: "lost"; seq: number }
  /** A record of a kind that this client does not know. */
  | { kind: "record"; seq: number; h: string }
  | { kind: "joined"; name: string }
  | { kind: "quit"; name: string }
  /** In a big room this stands for many comings and goings; `names` then are some of those present. */
  | { kind: "members"; count: number; names: string[] | null }
  /** For 5 s. */
  | { kind: "typing"; names: string[] }
  /**
   * The room is joined, for the first time or again: all that was said before has been told. `recovered`: the lines
   * before this join and those after it follow each other. `seq` and `h` are the room's head.
   */
  | { kind: "ready"; seq: number; h: string; members: number; names: string[]; recovered: boolean; limits: Limits }
  /** Lines before this event and after it do not join: another history (`forked`), or too much was missed. */
  | { kind: "reset"; reason: string }
  /** It comes back by itself, first tried in `retryIn` ms. */
  | { kind: "disconnected"; code: number; retryIn: number }
  /** A message was refused. If that passes by itself (`rate_limited`), it goes later, after `retryAfter` ms. */
  | { kind: "refused"; id: string | null; code: string; text: string; retryAfter: number };

/** Times are in ms. */
export interface Limits {
  message_chars: number;
  name_chars: number;
  interval_ms: number;
  grace_ms: number;
}

export interface Options {
  /** Resume after this place: a `token` of before. */
  since?: Token | null;
  /** So many lines come first where nothing is resumed: 0 to 1000, 100 if not given. */
  backlog?: number;
  /** Keeps what was said and is not stored yet, as `localStorage` does over a reload. Else this page's memory does. */
  storage?: Storage | null;
  /** The first join has so many ms (10,000 if not given). `Infinity`: it takes as long as it takes. */
  within?: number;
}

/** Which messages of a history, and in which order. */
export interface HistoryOptions {
  /** Only those before this `seq`. */
  before?: number;
  /** Those after this `seq`, the oldest first. Without it the newest come first, and it goes back. */
  after?: number;
  /** So many at most. */
  limit?: number;
  /** Only those with all of these words, in any place and whatever their case: at most 200 characters. */
  q?: string;
}

/** What ended a room, or why it can't be joined: `not_found`, `bad_name`, `unreachable` … */
export class RoomError extends Error {
  readonly code: string;
  /** In words for a person. */
  readonly text: string;
}

/** A message was refused for good: `message_too_long`, `id_conflict` … Nothing of it was stored or shown. */
export class Refused extends RoomError {}

/** A room in which this page is. */
export interface Room extends AsyncIterable<Event> {
  /** Those who are here, as far as the server tells: in big rooms some, and none where WebSockets are blocked. */
  readonly names: string[];
  /** How many are here. */
  readonly members: number;
  /** The place after the last event that was taken; give it to `open` as `since`. */
  readonly token: Token | null;
  /**
   * Resolves with the stored line. It is sent again after each reconnect with the same `id`, and stored once; a server
   * that is away, or that refuses for now, is waited for. With an `id` of your own (1 to 64 printable ASCII characters)
   * you may say it again after a reload too. Rejects with `Refused`, or with what ended the room.
   */
  say(text: string, options?: { id?: string }): Promise<Message>;
  /**
   * Messages of the room's history, fetched page by page while you iterate. Damaged lines are passed over; a server that
   * is away is waited for. Throws a `RoomError` for what the server refuses, and what ended the room.
   */
  readonly history: (options?: HistoryOptions) => AsyncGenerator<Message, void>;
  /** Shows to the others for 5 s that somebody types. Call it at most every 3 s. */
  typing(): void;
  /** Leaves the room. Iterating ends; a `say` that waits rejects. */
  close(): void;
  /** Each event once and in order, across reconnects. Throws what ended the room, if it was not `close`. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined>;
}

/**
 * Joins a room by the address that its page has, `https://chat.example/room/lobby`. Rejects with a `RoomError` if that
 * can't be done, with a `TypeError` if it is not a room's address.
 */
export function open(url: string | URL, name?: string, options?: Options): Promise<Room>;
