/** @import { KeptFile } from './types.d.ts' */
import { api } from './api.js';
import { byId, element, sizeText } from './dom.js';

/** Where a message is written. */

const MAX_FILES = 20;

/** @param {{ maxFile(): number, send(text: string, files: KeptFile[]): void }} actions */
export function createComposer(actions) {
  const form = byId('composer', HTMLFormElement);
  const text = byId('text', HTMLTextAreaElement);
  const input = byId('file', HTMLInputElement);
  const list = byId('files', HTMLUListElement);
  const problem = byId('problem', HTMLElement);
  /** @type {KeptFile[]} */
  let files = [];
  let uploads = 0;

  function showFiles() {
    const items = files.map((file) => {
      const remove = element('button', { type: 'button', 'aria-label': `Remove ${file.name}` }, '✕');
      remove.addEventListener('click', () => {
        files = files.filter((one) => one !== file);
        showFiles();
        text.focus();
      });
      return element('li', {}, `${file.name} (${sizeText(file.size)}) `, remove);
    });
    if (uploads > 0) items.push(element('li', { role: 'status' }, 'Uploading…'));
    list.replaceChildren(...items);
    list.hidden = items.length === 0;
  }

  /** @param {Iterable<File>} chosen */
  async function upload(chosen) {
    problem.textContent = '';
    for (const file of chosen) {
      if (files.length >= MAX_FILES) return say(`A message has ${MAX_FILES} files at most.`);
      if (file.size > actions.maxFile()) {
        say(`${file.name} is too large: ${sizeText(actions.maxFile())} at most.`);
        continue;
      }
      uploads += 1;
      showFiles();
      await api.upload(file).then(
        (kept) => files.push(kept),
        (error) =>
          say(
            `${file.name} could not be uploaded. ${error instanceof TypeError ? 'There is no connection.' : error.message}`,
          ),
      );
      uploads -= 1;
      showFiles();
    }
  }

  /** @param {string} sentence */
  function say(sentence) {
    problem.textContent = sentence;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    problem.textContent = '';
    if (uploads > 0) return say('A file is still on its way.');
    if (text.value.trim() === '' && files.length === 0) return;
    actions.send(text.value, files);
    text.value = '';
    files = [];
    showFiles();
    text.focus();
  });
  text.addEventListener('keydown', (event) => {
    // While a word is still put together (Japanese, say), Enter belongs to that.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  text.addEventListener('paste', (event) => {
    if (event.clipboardData?.files.length) void upload(event.clipboardData.files);
  });
  byId('attach', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    void upload([...(input.files ?? [])]);
    input.value = '';
  });
  const log = byId('log', HTMLElement);
  log.addEventListener('dragover', (event) => event.preventDefault());
  log.addEventListener('drop', (event) => {
    event.preventDefault();
    if (event.dataTransfer) void upload(event.dataTransfer.files);
  });

  return { focus: () => text.focus(), say };
}
