const MESSAGE = /<(message|task|webhook|system_response)((?:\s+[\w-]+="[^"]*")*)>([\s\S]*?)<\/\1>/g;
const DATA = /<data>([\s\S]*?)<\/data>/;
const ATTACHED = /<attachment [^>]*\/>/g;
const INNER = /<(quoted_message|note)[^>]*>[\s\S]*?<\/\1>|<attachment [^>]*\/>/g;

export interface Asked {
  text: string;
  /** What came with it, and where it lies; the host may have kept none of it. */
  files: readonly { name: string; path: string | undefined }[];
}

/** What in a prompt wants an answer. A rule-based reader needs no XML parser: everything inside is escaped. */
export function readAsked(prompt: string): Asked[] {
  return [...prompt.matchAll(MESSAGE)].flatMap(([, element, attributes = '', body = '']) => {
    // Of what the host says, only a decision, an answer and what could not be sent are an occasion to speak.
    const isHosts = element === 'system_response' && !/ subject="(answer|approval|question)"/.test(attributes);
    if (isHosts || attributes.includes(' context="true"')) return [];
    // What a task's script has found stands where its words want it.
    const data = DATA.exec(body)?.[1] ?? '';
    const text = plain(
      body
        .replace(DATA, '')
        .replaceAll(INNER, '')
        .replaceAll('{data}', () => data),
    ).trim();
    const files = [...body.matchAll(ATTACHED)].map(([tag]) => ({
      name: attribute(tag, 'name') ?? 'a file',
      path: attribute(tag, 'path'),
    }));
    return [{ text: element === 'webhook' ? said(text) : text, files }];
  });
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : plain(value);
}

/** A payload is JSON; one that is a text alone is meant as somebody's words. */
function said(payload: string): string {
  const value: unknown = JSON.parse(payload);
  return typeof value === 'string' ? value : payload;
}

function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
