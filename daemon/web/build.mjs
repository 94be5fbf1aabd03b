// Builds the pages that the daemon embeds.
//
//   node build.mjs            writes dist/ and the generated sources src/abi/ and src/api/schema.ts
//   node build.mjs --check    fails if any of them isn't what the sources give
//
// The output depends on the sources and on the lock file alone. Errors go to standard error, and the exit status is 1.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const ARTIFACTS = join(HERE, '../../contracts/artifacts');

/// Bytes of script that one page may load, before compression.
const SCRIPT_LIMIT = 300_000;

/// Page → what its head says. The file is pages/NAME.html, its script src/NAME/main.ts.
const PAGES = {
  play: { file: 'index.html', path: '/', title: 'Play', description: 'Play chess against a neural network that proves each of its moves.' },
  world: { file: 'world.html', path: '/world', title: 'World', description: 'Everybody against the network: back a move, the most backed one is played.' },
  markets: { file: 'markets.html', path: '/markets', title: 'Markets', description: 'Markets that a proven classifier resolves from signed bulletins.' },
  guards: { file: 'guards.html', path: '/guards', title: 'Guards', description: 'Vaults that a proven fraud model watches.' },
  console: { file: 'console.html', path: '/console', title: 'Console', description: "The operator's view of chains, jobs, transactions and keys." },
};

/// Contract → what of its interface the pages use; errors are always taken. Nothing else of it is bundled.
const INTERFACES = {
  ChessArena: [
    'balanceOf', 'claimDraw', 'claimMate', 'claimStalemate', 'claimThreefold', 'claimTimeout', 'createGame',
    'playHuman', 'playNpc', 'resign', 'withdraw', 'GameCreated',
  ],
  IVerifier: ['verifyProof', 'modelId'],
  PredictionMarket: ['balanceOf', 'bet', 'betOf', 'claim', 'withdraw'],
  GuardedVault: ['appeal', 'claim', 'endPause'],
  WorldArena: [
    'balanceOf', 'claim', 'claimDraw', 'claimMate', 'claimStalemate', 'claimTimeout', 'closeRound', 'dueOf', 'vote', 'withdraw', 'Voted',
  ],
};

class BuildError extends Error {}

async function tool(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new BuildError(`the npm package ${name} is missing: run \`npm ci\` in daemon/web/`);
  }
}

const read = (path) => readFileSync(join(HERE, path), 'utf8');

// ---------------------------------------------------------------- generated sources

/// The contracts' interfaces as literal types, so that a call with a wrong argument does not compile. One file each, so that
/// a page loads only those that it uses.
function interfaces() {
  const note = '// Made by build.mjs from contracts/artifacts. Do not edit.\n\n';
  const files = new Map();
  for (const [name, used] of Object.entries(INTERFACES)) {
    const file = join(ARTIFACTS, `${name}.json`);
    if (!existsSync(file)) continue;
    const { abi } = JSON.parse(readFileSync(file, 'utf8'));
    const missing = (used ?? []).filter((n) => !abi.some((entry) => entry.name === n));
    if (missing.length > 0) throw new BuildError(`${name} has no ${missing.join(', ')}: mend INTERFACES in build.mjs`);
    const wanted = abi.filter((e) => e.type === 'error' || (used === null ? e.name : used.includes(e.name)));
    const lines = wanted.map((entry) => `  ${JSON.stringify(strip(entry))},`);
    files.set(`src/abi/${name}.ts`, `${note}export const ${name} = [\n${lines.join('\n')}\n] as const;\n`);
  }
  return files;
}

/// An entry without what only compilers read.
function strip(value) {
  if (Array.isArray(value)) return value.map(strip);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([k]) => k !== 'internalType').map(([k, v]) => [k, strip(v)]));
}

/// The types of the API's answers, from the document that the daemon's handlers generate.
async function schema() {
  const file = join(HERE, 'openapi.json');
  if (!existsSync(file)) return null;
  const { default: openapi, astToString } = await tool('openapi-typescript');
  const ast = await openapi(JSON.parse(readFileSync(file, 'utf8')));
  return `// Made by build.mjs from openapi.json. Do not edit.\n\n${astToString(ast)}`;
}

// ---------------------------------------------------------------- bundles

/// cm-chessboard places the dragged piece by a style attribute, which the pages' Content-Security-Policy forbids; the
/// same text set through the style object is allowed.
const strictStyles = {
  name: 'strict-styles',
  setup(build) {
    build.onLoad({ filter: /cm-chessboard[/\\]src[/\\]view[/\\]VisualMoveInput\.js$/ }, (args) => {
      const before = 'this.draggablePiece.setAttribute("style",';
      const pieces = readFileSync(args.path, 'utf8').split(before);
      if (pieces.length !== 3) throw new BuildError('cm-chessboard has changed where it sets styles: mend strictStyles');
      return { contents: pieces.join(';((element, css) => { element.style.cssText = css })(this.draggablePiece,'), loader: 'js' };
    });
  },
};

async function bundle() {
  const esbuild = await tool('esbuild');
  const entryPoints = [{ in: join(HERE, 'src/style/main.css'), out: 'style' }];
  for (const page of Object.keys(PAGES)) entryPoints.push({ in: join(HERE, `src/${page}/main.ts`), out: page });
  const result = await esbuild.build({
    absWorkingDir: HERE,
    // A linked node_modules would otherwise change the order, and so the names, of the shared files.
    preserveSymlinks: true,
    entryPoints,
    outdir: join(DIST, 'assets'),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    chunkNames: 'shared-[hash]',
    metafile: true,
    write: false,
    logLevel: 'silent',
    plugins: [strictStyles],
  }).catch((error) => {
    const first = error.errors?.[0];
    if (first === undefined) throw error;
    const at = first.location === null ? '' : `${first.location.file}:${first.location.line}: `;
    throw new BuildError(`${at}${first.text}`);
  });
  return result;
}

/// Bytes of script that each page loads; an error if one is over the limit.
function weigh(metafile) {
  const outputs = Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, output]) => [path.split('/').pop(), output]),
  );
  const weights = {};
  for (const page of Object.keys(PAGES)) {
    const reached = new Set();
    const open = [`${page}.js`];
    while (open.length > 0) {
      const name = open.pop();
      if (reached.has(name)) continue;
      reached.add(name);
      for (const { path } of outputs[name].imports) open.push(path.split('/').pop());
    }
    weights[page] = [...reached].reduce((sum, name) => sum + outputs[name].bytes, 0);
    if (weights[page] > SCRIPT_LIMIT) {
      throw new BuildError(`the page ${page} has ${weights[page]} bytes of script; ${SCRIPT_LIMIT} is the limit`);
    }
  }
  return weights;
}

/// The licences of all packages of which something is in the bundles, and of the pieces.
function licences(metafile) {
  const packages = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const path of Object.keys(output.inputs)) {
      const found = path.match(/^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//);
      if (found !== null) packages.add(`${found[2]}\0${found[1]}`);
    }
  }
  const parts = [
    'The scripts and pictures of these pages contain parts of the following packages.\n',
    'Chess pieces: from cm-chessboard, drawn by Cburnett and Rfc1394 for Wikimedia Commons, changed by Stefan Haack;\n' +
      'CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/.\n',
  ];
  for (const [name, folder] of [...packages].sort().map((p) => p.split('\0'))) {
    const { version, license } = JSON.parse(read(join(folder, 'package.json')));
    const file = readdirSync(join(HERE, folder)).find((n) => /^licen[cs]e/i.test(n));
    const text = file === undefined ? `Licence: ${license}` : read(join(folder, file)).trim();
    parts.push(`---- ${name} ${version} (${license})\n\n${text.replace(/\r\n/g, '\n')}\n`);
  }
  return parts.join('\n');
}

/// A page: the frame that all share, with the page's own part in it.
function page(name) {
  const { title, description, path } = PAGES[name];
  const links = Object.entries(PAGES).map(([other, p]) => {
    const here = other === name ? ' aria-current="page"' : '';
    return `<a href="${p.path}"${here}>${p.title}</a>`;
  });
  const values = { title, description, path, name, links: links.join('\n          '), main: read(`pages/${name}.html`).trimEnd() };
  return read('pages/layout.html').replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (values[key] === undefined) throw new BuildError(`pages/layout.html asks for {{${key}}}, which no page has`);
    return values[key];
  });
}

/// The pieces, without the comment and title that every browser would read in vain.
function pieces() {
  const sprite = read('node_modules/cm-chessboard/assets/pieces/standard.svg');
  if (/\sstyle=/.test(sprite)) throw new BuildError('the pieces have style attributes, which the pages forbid');
  return sprite.replace(/<!--[\s\S]*?-->/g, '').replace(/<(title|desc)>[^<]*<\/\1>/g, '').replace(/ id="Shape"/g, '').replace(/\s*\n\s*/g, '\n');
}

/// Path in this folder → contents of every file that is generated.
async function outputs() {
  const files = interfaces();
  const types = await schema();
  if (types !== null) files.set('src/api/schema.ts', types);
  // The bundler reads the generated sources from the disk.
  const stale = [...files].filter(([path, text]) => !same(path, text)).map(([path]) => path);
  if (process.argv.includes('--check') && stale.length > 0) return { files, weights: {} };
  for (const path of stale) write(path, files.get(path));

  const { outputFiles, metafile } = await bundle();
  for (const { path, contents } of outputFiles) files.set(relative(HERE, path).split(sep).join('/'), Buffer.from(contents));
  for (const name of Object.keys(PAGES)) files.set(`dist/${PAGES[name].file}`, page(name));
  for (const name of readdirSync(join(HERE, 'static'))) files.set(`dist/assets/${name}`, readFileSync(join(HERE, 'static', name)));
  files.set('dist/assets/pieces.svg', pieces());
  files.set('dist/assets/LICENSES.txt', licences(metafile));
  return { files, weights: weigh(metafile) };
}

function same(path, contents) {
  const file = join(HERE, path);
  return existsSync(file) && readFileSync(file).equals(Buffer.from(contents));
}

function write(path, contents) {
  mkdirSync(dirname(join(HERE, path)), { recursive: true });
  writeFileSync(join(HERE, path), contents);
}

function walk(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [relative(HERE, path).split(sep).join('/')];
  });
}

async function main(args) {
  if (args.length > 1 || (args.length === 1 && args[0] !== '--check')) throw new BuildError('usage: node build.mjs [--check]');
  const { files, weights } = await outputs();
  const left = walk(DIST).filter((path) => !files.has(path));
  const changed = [...files].filter(([path, contents]) => !same(path, contents)).map(([path]) => path);
  if (args[0] === '--check') {
    const stale = [...changed, ...left];
    if (stale.length > 0) throw new BuildError(`stale: ${stale.join(', ')}; run \`node build.mjs\` in daemon/web/ and commit`);
    console.log('the pages are up to date');
    return;
  }
  for (const path of left) rmSync(join(HERE, path));
  for (const path of changed) {
    write(path, files.get(path));
    console.log(`wrote ${path}`);
  }
  for (const [name, bytes] of Object.entries(weights)) console.log(`${name}: ${bytes} bytes of script`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error instanceof BuildError ? `error: ${error.message}` : error);
  process.exitCode = 1;
});
