const element = (id) => document.getElementById(id);
const linesOf = (text) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

function added(list, text, className = '') {
  const item = document.createElement('li');
  item.textContent = text;
  item.className = className;
  list.append(item);
}

function show({ verdict, reason, steps, place, eventHash }, hasWitnesses) {
  element('verdict').textContent = verdict;
  element('verdict').className = verdict === 'PROVEN' ? 'good' : 'bad';
  element('summary').textContent = reason === '' ? `Event with the SHA-256 ${eventHash}: ${place}` : reason;
  element('steps').replaceChildren();
  for (const { name, passed, detail, restsOn } of steps) {
    added(
      element('steps'),
      `${passed ? '✓' : '✗'} ${name}: ${detail}. This rests on ${restsOn}.`,
      passed ? 'good' : 'bad',
    );
  }
  element('unchecked').replaceChildren();
  added(
    element('unchecked'),
    'That the event was derived correctly: the proof is about the log that has it, not about what it says.',
  );
  if (!hasWitnesses)
    added(
      element('unchecked'),
      'When the event was in the log, and that everybody is shown the same log: that takes the key of a witness.',
    );
  element('result').hidden = false;
  element('result').focus();
}

async function check() {
  const [file] = element('file').files;
  if (file === undefined) return;
  const witnessKeys = linesOf(element('witnesses').value);
  const bytes = new Uint8Array(await file.arrayBuffer());
  show(await verify(bytes, { logKeys: linesOf(element('log').value), witnessKeys }), witnessKeys.length > 0);
}

element('form').addEventListener('submit', (event) => {
  event.preventDefault();
  void check();
});
// A file that misses the field must not replace the page.
for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    element('drop').classList.toggle('over', name === 'dragover');
    if (name === 'drop' && event.dataTransfer.files.length > 0) element('file').files = event.dataTransfer.files;
  });
}
if (!(await hasEd25519())) {
  element('lacking').textContent =
    'This browser cannot verify Ed25519 signatures here, so nothing can be checked: take a current Firefox, Safari, or Chromium (137 or later), and open the page as a file or over https.';
  element('lacking').hidden = false;
  element('form').querySelector('button').disabled = true;
}
