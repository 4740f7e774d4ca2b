/** The types that modules share. For developers and tsc only: no browser asks for this file. */

/** Where a client stands in a room's history. */
type Token = { seq: number; h: string };
type Line = {
  kind: "line";
  seq: number;
  h: string;
  timestamp: number;
  name: string;
  message: string;
  id: string | null;
};
/** A line that is damaged in the room's file. */
type Lost = { kind: "lost"; seq: number };
/** A record of a kind that is not drawn. */
type Other = { kind: "record"; seq: number; h: string };
type Stored = Line | Lost | Other;
type Limits = { message_chars: number; name_chars: number; interval_ms: number; grace_ms: number };
type Ready = {
  kind: "ready";
  seq: number;
  h: string;
  members: number;
  recovered: boolean | null;
  reason: string | null;
  limits: Limits;
  /** The version of the page that the server serves. */
  web: string | null;
};
type Refusal = { kind: "error"; text: string; code: string; id: string | null; retryAfter: number };
type RosterEvent =
  | { kind: "joined"; name: string }
  | { kind: "quit"; name: string }
  | { kind: "members"; count: number; names: string[] | null }
  | { kind: "typing"; names: string[] };
type ServerEvent = Stored | Ready | Refusal | RosterEvent | { kind: "pong" } | { kind: "unknown" };

/** `until` is on the clock of `performance.now()`. */
type Phase =
  | { phase: "connecting" }
  | { phase: "open"; http: boolean }
  | { phase: "waiting"; until: number; code: number }
  | { phase: "stopped"; code: number };
/** What sends messages needs of a connection. */
type Channel = Pick<import("./connection.js").Connection, "open" | "send" | "hurry">;
/** What a connection needs of a socket: a WebSocket, or an HttpSocket. */
type Wire = {
  readonly readyState: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send: (frame: string) => void;
  close: () => void;
};
/** Who a connection belongs to: it is asked for the hello, and told frames and phases. */
type ConnectionOwner = {
  hello: () => string;
  heard: (event: ServerEvent) => void;
  moved: (phase: Phase) => void;
};
/** What a join brought: each line once. */
type Joined = { continues: boolean; lines: Stored[]; reason: string | null };

type Where = "before" | "after" | "around";
/** `next` is where to go on, if there is `more`. */
type Page = { lines: Stored[]; more: boolean; next: number };
type WindowState = { unseen: number; away: boolean; older: boolean; failed: boolean; empty: boolean };
type WindowParts = {
  list: import("./message-list.js").MessageList;
  scroll: import("./scroll.js").Scroll;
  pages: { read: (where: Where, seq: number) => Promise<Page> };
  /** The seq of the room's newest line. */
  newest: () => number;
  changed: (state: WindowState) => void;
};
/** A row's line, or a notice (null). */
type Item = { line: Line | Lost | null; element: HTMLElement };
/** `page` is the address of the room's page. */
type View = { page: string; me: () => string };
type PieceKind = "text" | "code" | "block" | "emphasis" | "mention" | "link";
type Piece = { kind: PieceKind; text: string; href?: string };

/** A message that was typed and is not in the room yet. */
/** `sent`: it was handed to a socket, so it may be stored already. `failed` is the refusal's code. */
type Entry = { id: string; order: number; name: string; text: string; failed: string | null; sent?: boolean };
type EntryActions = Record<"retry" | "edit" | "remove" | "adopt", (entry: Entry) => void>;
type SenderParts = {
  connection: Pick<import("./connection.js").Connection, "open" | "send" | "hurry">;
  /** Would this name's next message be grouped with the last one? */
  continues: (name: string) => boolean;
  /** Put a text back into the field. */
  edit: (text: string) => void;
};
type Command =
  | { kind: "say"; text: string }
  | { kind: "name"; name: string }
  | { kind: "rooms" }
  | { kind: "help" }
  | { kind: "unknown"; command: string };
type ComposerHandlers = {
  /** False: not taken, it stays in the field. */
  submit: (command: Command) => boolean;
  typing: () => void;
  names: () => string[];
  /** Somebody tried to give it a file. */
  files: () => void;
};

type Store = import("./store.js").Store;
type Draft = import("./store.js").Draft;
type Notifier = import("./notify.js").Notifier;
type Timer = ReturnType<typeof setTimeout> | undefined;
type Area = Pick<Store, "get" | "set" | "remove" | "keys">;
type World = { room: string; identity: import("./store.js").Identity; store: Store; tab: Store };
/** The world of a room that is open. */
type Here = World & { title: string };

type Timer = ReturnType<typeof setTimeout> | undefined;

type Phrase = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);
type Language = { language: string; direction: "ltr" | "rtl"; phrases: Record<string, Phrase> };
