import neostandard from 'neostandard'

const restricted = (...libraries) => ({ 'no-restricted-imports': ['error', ...libraries] })

/** Libraries live in adapters; tests may use what they like. */
const keepLibrariesAtHome = [
  { name: 'tacet/libraries', files: ['**/src/**/*.ts'], rules: restricted('ari-client', 'kafkajs', 'pg') },
  {
    name: 'tacet/adapters',
    files: ['packages/{service-kit,test-kit}/src/**/*.ts', 'infra/stack/src/**/*.ts', 'services/*/src/{adapters,db}/**/*.ts'],
    rules: restricted('ari-client'),
  },
  { name: 'tacet/ari', files: ['packages/ari/src/**/*.ts'], rules: restricted('kafkajs', 'pg') },
]

export default [
  ...neostandard({ ts: true, ignores: ['**/dist/**', '**/.local/**', '**/.tap/**'] }),
  ...keepLibrariesAtHome,
  {
    name: 'tacet/promises',
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': neostandard.plugins['typescript-eslint'].plugin },
    rules: {
      'no-void': ['error', { allowAsStatement: true }],
      // tap waits for the subtests it was given
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
]
