/** What EdgeChat uses of linkifyjs 4.4.0. */
export function find(text: string, options: { defaultProtocol: string }): { type: string; value: string; href: string; start: number; end: number }[];
