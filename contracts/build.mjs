// Compiles the contracts with the pinned npm build of solc.
//
//   node build.mjs                    writes artifacts/*.json: abi, bytecode, deployedBytecode
//   node build.mjs --check            fails if the files in artifacts/ aren't what the sources give
//   node build.mjs --verifier FILE    compiles one generated verifier, `-` for standard input, and prints
//                                     {abi, bytecode, deployedBytecode}; --contract NAME if it has several,
//                                     --runs N for other optimiser runs than the other contracts'
//
// Errors go to standard error, and the exit status is 1.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const VERSION = '0.8.30';
const RUNTIME_LIMIT = 24576; // EIP-170
const INITCODE_LIMIT = 49152; // EIP-3860

// Must match foundry.toml. No viaIR: together with the optimiser it is known to break verifiers.
const SETTINGS = {
  optimizer: { enabled: true, runs: 2000 },
  viaIR: false,
  evmVersion: 'cancun',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

const ARTIFACTS = {
  ChessArena: 'src/ChessArena.sol',
  WorldArena: 'src/WorldArena.sol',
  IVerifier: 'src/IVerifier.sol',
  InferenceOracle: 'src/oracle/InferenceOracle.sol',
  IInferenceConsumer: 'src/oracle/IInferenceConsumer.sol',
  IInferenceInput: 'src/oracle/IInferenceInput.sol',
  PredictionMarket: 'src/market/PredictionMarket.sol',
  ConditionalTokensAdapter: 'src/market/ConditionalTokensAdapter.sol',
  BulletinBoard: 'src/market/BulletinBoard.sol',
  FraudGuard: 'src/guard/FraudGuard.sol',
  GuardedVault: 'src/guard/GuardedVault.sol',
  WrappedCoin: 'src/examples/WrappedCoin.sol',
  LendingPool: 'src/examples/LendingPool.sol',
  ModelContest: 'src/examples/ModelContest.sol',
  IArchitecture: 'src/examples/ModelAccount.sol',
  ChessHarness: 'test/ChessHarness.sol',
  FakeConditionalTokens: 'test/FakeConditionalTokens.sol',
  MockVerifier: 'test/MockVerifier.sol',
  TestToken: 'test/TestToken.sol',
};

const USAGE = 'usage: node build.mjs [--check | --verifier FILE [--contract NAME] [--runs N]]';

class BuildError extends Error {}

async function compiler() {
  let solc;
  try {
    solc = (await import('solc')).default;
  } catch {
    throw new BuildError(`the npm package solc ${VERSION} is missing: run \`npm ci\` in contracts/`);
  }
  const version = solc.version();
  if (!version.startsWith(`${VERSION}+`)) {
    throw new BuildError(`solc is ${version}, not ${VERSION}: run \`npm ci\` in contracts/`);
  }
  return solc;
}

async function compile(sources, read, runs = SETTINGS.optimizer.runs) {
  const solc = await compiler();
  const input = {
    language: 'Solidity',
    sources,
    settings: {
      ...SETTINGS,
      optimizer: { ...SETTINGS.optimizer, runs },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const errors = (output.errors ?? []).filter((e) => e.severity === 'error');
  if (errors.length > 0) throw new BuildError(errors.map((e) => e.formattedMessage.trim()).join('\n'));
  return output.contracts;
}

function artifact(name, contract) {
  const bytes = (code) => code.object.length / 2;
  const { bytecode, deployedBytecode } = contract.evm;
  if (bytes(deployedBytecode) > RUNTIME_LIMIT) {
    throw new BuildError(`${name} has ${bytes(deployedBytecode)} bytes of runtime code; ${RUNTIME_LIMIT} is the limit`);
  }
  if (bytes(bytecode) > INITCODE_LIMIT) {
    throw new BuildError(`${name} has ${bytes(bytecode)} bytes of creation code; ${INITCODE_LIMIT} is the limit`);
  }
  if (/__\$/.test(bytecode.object)) throw new BuildError(`${name} needs a library linked`);
  return {
    abi: contract.abi,
    bytecode: `0x${bytecode.object}`,
    deployedBytecode: `0x${deployedBytecode.object}`,
  };
}

function readSource(path) {
  const file = join(HERE, path);
  return existsSync(file) ? { contents: readFileSync(file, 'utf8') } : { error: `no file ${path}` };
}

async function artifacts() {
  const sources = {};
  for (const path of Object.values(ARTIFACTS)) sources[path] = { content: readFileSync(join(HERE, path), 'utf8') };
  const contracts = await compile(sources, readSource);
  return Object.entries(ARTIFACTS).map(([name, path]) => [
    `artifacts/${name}.json`,
    JSON.stringify(artifact(name, contracts[path][name]), null, 2) + '\n',
  ]);
}

async function verifier(file, { contract: wanted, runs }) {
  let content;
  try {
    content = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new BuildError(`can't read ${file}: ${error.code}`);
  }
  const key = file === '-' ? 'Verifier.sol' : basename(file);
  // Generated verifiers stand alone; nothing is read from the disk for them.
  const contracts = await compile({ [key]: { content } }, () => ({ error: 'a verifier imports nothing' }), runs);
  const built = Object.entries(contracts[key]).filter(([, c]) => c.evm.bytecode.object.length > 0);
  const found = wanted === undefined ? built : built.filter(([name]) => name === wanted);
  if (found.length !== 1) {
    const names = built.map(([name]) => name).join(', ') || 'none';
    throw new BuildError(`${key} must have one contract to compile; it has: ${names}`);
  }
  return artifact(...found[0]);
}

function options(args) {
  const found = {};
  for (let i = 0; i < args.length; i += 2) {
    if (args[i] === '--contract' && i + 1 < args.length) found.contract = args[i + 1];
    else if (args[i] === '--runs' && /^\d{1,9}$/.test(args[i + 1])) found.runs = Number(args[i + 1]);
    else throw new BuildError(USAGE);
  }
  return found;
}

async function main(args) {
  if (args.length === 0) {
    mkdirSync(join(HERE, 'artifacts'), { recursive: true });
    for (const [path, text] of await artifacts()) {
      writeFileSync(join(HERE, path), text);
      console.log(`wrote ${path}`);
    }
  } else if (args.length === 1 && args[0] === '--check') {
    const stale = (await artifacts()).filter(([path, text]) => {
      const file = join(HERE, path);
      return !existsSync(file) || readFileSync(file, 'utf8') !== text;
    });
    if (stale.length > 0) {
      throw new BuildError(`stale: ${stale.map(([path]) => path).join(', ')}; run \`node build.mjs\` and commit`);
    }
    console.log('artifacts are up to date');
  } else if (args.length >= 2 && args[0] === '--verifier') {
    process.stdout.write(JSON.stringify(await verifier(args[1], options(args.slice(2)))) + '\n');
  } else {
    throw new BuildError(USAGE);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error instanceof BuildError ? `error: ${error.message}` : error);
  process.exitCode = 1;
});
