import { createRequire } from 'node:module';

/** `@platformatic/kafka`, which speaks Kafka's protocol. */
export type Library = typeof import('@platformatic/kafka');

let library: Promise<Library> | undefined;

/**
 * Loads it when it is first needed: loading takes longer than starting a whole command. Most of that was the library's
 * compiling of what validates the options of each of its methods, of which a process calls a few: here each is compiled
 * at its first call, which halves the loading.
 */
export function loadLibrary(): Promise<Library> {
  return (library ??= loadUncompiled());
}

type Validator = ((data: unknown) => boolean) & { errors?: unknown };
interface Compiler {
  compile: (...schema: unknown[]) => Validator;
}

async function loadUncompiled(): Promise<Library> {
  // The validating library that this one uses, whichever version is installed for it.
  const require = createRequire(import.meta.resolve('@platformatic/kafka'));
  const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: { prototype: Compiler } };
  const { prototype } = Ajv2020;
  const inherited = Object.getOwnPropertyDescriptor(prototype, 'compile');
  const { compile } = prototype;
  prototype.compile = function (this: Compiler, ...schema) {
    let compiled: Validator | undefined;
    const validator: Validator = (data) => {
      compiled ??= compile.apply(this, schema);
      const isValid = compiled(data);
      validator.errors = compiled.errors;
      return isValid;
    };
    return validator;
  };
  try {
    return await import('@platformatic/kafka');
  } finally {
    if (inherited === undefined) Reflect.deleteProperty(prototype, 'compile');
    else Object.defineProperty(prototype, 'compile', inherited);
  }
}
