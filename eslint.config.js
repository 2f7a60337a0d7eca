import { existsSync } from 'node:fs';
import tseslint from 'typescript-eslint';

const notPure = (what) =>
  `${what} would make the result depend on more than the tape: pass the value in as an argument.`;

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      '.tapeproof/',
      'dashboard/web/dist/',
      '.dependency-cruiser.cjs',
      'bin/tapeproof.js',
      'proofs/page/page.js',
      // A package of its own: its types are known where it is installed.
      ...(existsSync(`${import.meta.dirname}/deploy/aws/node_modules`) ? [] : ['deploy/aws/']),
      '*.js',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // `while (true)` with an explicit bound inside reads better than an artificial condition.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    // Pure folders: everything is a function of its arguments (STYLE: time comes from the event).
    files: ['contracts/**/*.ts', 'evaluators/**/*.ts', 'producers/**/*.ts', 'projectors/**/*.ts'],
    ignores: ['**/main.ts', '**/*.adapter.ts', '**/*.spec.ts', 'contracts/generate.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: notPure('process') },
        { name: 'fetch', message: notPure('fetch') },
        { name: 'setTimeout', message: notPure('A timer') },
        { name: 'setInterval', message: notPure('A timer') },
        { name: 'setImmediate', message: notPure('A timer') },
        { name: 'performance', message: notPure('A clock') },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: notPure('Date.now') },
        { object: 'Math', property: 'random', message: notPure('Math.random') },
        { object: 'Math', property: 'exp', message: 'Implementation-defined: use evaluators/arithmetic.ts.' },
        { object: 'Math', property: 'log', message: 'Implementation-defined: use evaluators/arithmetic.ts.' },
        {
          object: 'Math',
          property: 'pow',
          message: 'Implementation-defined: multiply, or use evaluators/arithmetic.ts.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          name: 'node:crypto',
          importNames: ['randomUUID', 'randomBytes', 'randomInt'],
          message: notPure('A random value'),
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: notPure('new Date()') },
        {
          selector: "BinaryExpression[operator='**']",
          message: 'Implementation-defined on doubles: multiply instead.',
        },
        {
          selector: "AssignmentExpression[operator='**=']",
          message: 'Implementation-defined on doubles: multiply instead.',
        },
      ],
    },
  },
  {
    // One place says what a record is (foreign, unknown, damaged), and every reader asks it.
    files: ['{producers,evaluators,projectors}/**/{main,*.adapter}.ts', '{bin,proofs,stack}/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { property: 'schemaOf', message: 'Ask framedIn of platform/kafka/framed-record.ts what a record is.' },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'tests/dashboard/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
