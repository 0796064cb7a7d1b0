/** How mail programs say, in the languages that people use them in, that a quote begins. */

/** `On …, … wrote:` */
export const ATTRIBUTION = new RegExp(
  [
    '^(on|am|le|el|il|em|op|den|dne|dnia|w dniu|em|el dia|on the)\\b.{4,450}(wrote|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|napsal(\\(a\\))?|napisał(\\(a\\))?|kirjoitti)\\s*(.{0,100})?:$',
    '^.{4,450}\\b(wrote|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|kirjoitti|napsal|napisał)\\s?:$',
    '^\\d{4}.{4,300}(写道|寫道|のメール|より|作成)\\s?[:：]$',
    '^.{0,20}\\d{4}.{4,300}(написала?|пишет|пише|yazdı|작성)\\s?[:：]$',
    '^(在|于).{4,300}(写道|寫道)\\s?[:：]$',
    '^\\d{4}-\\d\\d-\\d\\d.{0,40}<[^<>]{3,200}>\\s?:$',
  ].join('|'),
  'iu',
);

/** `-----Original Message-----` */
export const ORIGINAL =
  /^\s*[-_]{2,}\s*(original message|original appointment|ursprüngliche nachricht|message d['’]origine|message original|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|oprindelig meddelelse|ursprungligt meddelande|původní zpráva|oryginalna wiadomość|alkuperäinen viesti|исходное сообщение|пересылаемое сообщение|原始邮件|原始郵件|元のメッセージ|원본 메시지)\s*[-_]{2,}\s*$/iu;

/** Forwarded mail is what the agent was sent it for. */
export const FORWARDED =
  /^\s*>?\s*([-_]{2,}\s*(forwarded (message|by)|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|转发的邮件)|begin forwarded message|anfang der weitergeleiteten|début du message (réexpédié|transféré)|inicio del mensaje reenviado|inizio messaggio inoltrato)/iu;

export const HEADER_LINE: readonly { kind: string; pattern: RegExp }[] = [
  { kind: 'from', pattern: /^(from|von|de|da|van|från|fra|od|от|发件人|寄件者|差出人|보낸 사람)\s?[:：]/iu },
  {
    kind: 'sent',
    pattern:
      /^(sent|date|gesendet|datum|envoyé|enviado( el| em)?|fecha|data|inviato|verzonden|skickat|sendt|wysłano|odesláno|отправлено|дата|发送时间|寄件日期|送信日時|日付|보낸 날짜)\s?[:：]/iu,
  },
  { kind: 'to', pattern: /^(to|an|à|para|a|aan|till|til|do|komu|кому|收件人|宛先|받는 사람)\s?[:：]/iu },
  {
    kind: 'subject',
    pattern:
      /^(subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|předmět|тема|主题|主旨|件名|제목)\s?[:：]/iu,
  },
];

/** `Sent from my iPhone` */
export const SENT_FROM =
  /^\s*(sent from (my |outlook|mail for|yahoo|proton)|get outlook for|von mein\w* .{2,30} gesendet|gesendet (von|mit) |envoyé (de|depuis) |enviado desde |enviado do |inviato da |verzonden (vanaf|met) |skickat från |sendt fra |отправлено с |从我的.{2,20}发(送|自)|iphoneから送信).{0,100}$/iu;
