import { useEffect, useState } from 'preact/hooks';
import { hasEd25519, verify, type Result } from '../../../../proofs/page/verify-in-browser.ts';
import { ApiFailure, bytesOf } from '../../api/client.ts';
import { keysIn, textOf } from '../../parts/form-text.ts';
import { Failure } from '../../parts/states.tsx';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Checks a proof in this browser, with keys that the viewer has from their owners: no answer of the server is believed.
 *
 * @param eventId whose proof the server has; undefined: the viewer chooses a file
 */
export function ProofCheck({ eventId }: { readonly eventId: string | undefined }) {
  const [result, setResult] = useState<Result>();
  const [failure, setFailure] = useState<ApiFailure>();
  const [isAble, setIsAble] = useState(true);
  const [proof, setProof] = useState<Bytes>();
  useEffect(() => {
    void hasEd25519().then(setIsAble);
  }, []);
  const check = async (form: FormData): Promise<void> => {
    setFailure(undefined);
    const bytes = await proofOf(form, eventId);
    setProof(bytes);
    const [logKeys, witnessKeys] = [keysIn(textOf(form, 'log-keys')), keysIn(textOf(form, 'witness-keys'))];
    setResult(await verify(bytes, { logKeys, witnessKeys }));
  };
  return (
    <section class="card" aria-label="Check the proof">
      <div class="card-head">
        <h2>Check the proof here</h2>
        <p>In this browser: nothing is sent, and nothing that the server says is believed.</p>
      </div>
      {isAble ? null : (
        <p class="notice is-bad" role="alert">
          This browser cannot verify Ed25519 signatures: take a current Firefox, Safari or Chromium, over https or at
          localhost.
        </p>
      )}
      <form
        class="proof-form"
        onSubmit={(event) => {
          event.preventDefault();
          check(new FormData(event.currentTarget)).catch((error: unknown) => {
            setResult(undefined);
            setFailure(
              error instanceof ApiFailure ? error : new ApiFailure(0, 'The proof could not be read', String(error)),
            );
          });
        }}
      >
        {eventId === undefined ? (
          <div>
            <label for="proof-file">The proof, a file that ends with .tlog-proof</label>
            <input id="proof-file" name="proof-file" type="file" accept=".tlog-proof,text/plain" required />
          </div>
        ) : null}
        <KeyField name="log-keys" label="The log’s verifier key" isRequired />
        <KeyField
          name="witness-keys"
          label="Verifier keys of the witnesses that you trust; may be empty"
          isRequired={false}
        />
        <p class="muted small">
          One key in each line. Take them from their owners, never from whoever gives you the proof. All witnesses must
          have cosigned.
        </p>
        <div class="toolbar">
          <button class="primary" type="submit" disabled={!isAble}>
            Check
          </button>
          {eventId === undefined ? null : <DownloadProof eventId={eventId} proof={proof} onFailure={setFailure} />}
        </div>
      </form>
      {failure === undefined ? null : <Failure failure={failure} />}
      {result === undefined ? null : <ResultSteps result={result} />}
    </section>
  );
}

function KeyField({
  name,
  label,
  isRequired,
}: {
  readonly name: string;
  readonly label: string;
  readonly isRequired: boolean;
}) {
  return (
    <div>
      <label for={name}>{label}</label>
      <textarea id={name} name={name} rows={2} spellcheck={false} autocomplete="off" required={isRequired} />
    </div>
  );
}

function DownloadProof({
  eventId,
  proof,
  onFailure,
}: {
  readonly eventId: string;
  readonly proof: Bytes | undefined;
  readonly onFailure: (failure: ApiFailure) => void;
}) {
  return (
    <button
      type="button"
      onClick={() => {
        const bytes = proof === undefined ? proofFromServer(eventId) : Promise.resolve(proof);
        bytes.then(
          (file) => {
            save(file, `${eventId}.tlog-proof`);
          },
          (error: unknown) => {
            if (error instanceof ApiFailure) onFailure(error);
          },
        );
      }}
    >
      Download the proof
    </button>
  );
}

function ResultSteps({ result: { verdict, reason, steps, place, eventHash } }: { readonly result: Result }) {
  return (
    <div class={`proof-result ${verdict === 'PROVEN' ? '' : 'is-failed'}`} role="status">
      <h3>{verdict}</h3>
      <p class="mono">{reason === '' ? `Event with the SHA-256 ${eventHash}: ${place}` : reason}</p>
      <ol class="checks">
        {steps.map(({ name, passed, detail, restsOn }) => (
          <li key={name} class={passed ? '' : 'is-failed'}>
            <span class="mark" aria-hidden="true">
              {passed ? '✓' : '✕'}
            </span>
            <div>
              <strong>{name}</strong>
              <p>{detail}</p>
              <p class="muted small">Rests on {restsOn}.</p>
            </div>
          </li>
        ))}
      </ol>
      <p class="muted small">
        Not checked: that the event was derived correctly. A proof is about the log that has it, not about what it says.
      </p>
    </div>
  );
}

async function proofOf(form: FormData, eventId: string | undefined): Promise<Bytes> {
  if (eventId !== undefined) return await proofFromServer(eventId);
  const file = form.get('proof-file');
  return new Uint8Array(file instanceof File ? await file.arrayBuffer() : new ArrayBuffer());
}

function proofFromServer(eventId: string): Promise<Bytes> {
  return bytesOf(`/audit/${encodeURIComponent(eventId)}/proof`, new AbortController().signal);
}

function save(bytes: Bytes, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'text/plain' }));
  const link = document.createElement('a');
  [link.href, link.download] = [url, name];
  link.click();
  URL.revokeObjectURL(url);
}
