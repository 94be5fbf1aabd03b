// Made by build.mjs from contracts/artifacts. Do not edit.

export const GuardedVault = [
  {"inputs":[],"name":"BadTerms","type":"error"},
  {"inputs":[{"name":"score","type":"uint256"}],"name":"Inconclusive","type":"error"},
  {"inputs":[{"name":"allowance","type":"uint256"}],"name":"InsufficientAllowance","type":"error"},
  {"inputs":[{"name":"shares","type":"uint256"}],"name":"InsufficientShares","type":"error"},
  {"inputs":[{"name":"verifier","type":"address"}],"name":"NotAVerifier","type":"error"},
  {"inputs":[],"name":"NotAllowed","type":"error"},
  {"inputs":[],"name":"NotPaused","type":"error"},
  {"inputs":[{"name":"until","type":"uint256"}],"name":"Paused","type":"error"},
  {"inputs":[],"name":"ProofRejected","type":"error"},
  {"inputs":[],"name":"Reentered","type":"error"},
  {"inputs":[{"name":"time","type":"uint256"}],"name":"TooEarly","type":"error"},
  {"inputs":[{"name":"amount","type":"uint256"}],"name":"TooLarge","type":"error"},
  {"inputs":[{"name":"token","type":"address"}],"name":"TransferFailed","type":"error"},
  {"inputs":[{"name":"round","type":"uint256"}],"name":"WrongRound","type":"error"},
  {"inputs":[{"name":"incident","type":"uint256"},{"name":"status","type":"uint8"}],"name":"WrongStatus","type":"error"},
  {"inputs":[],"name":"ZeroAddress","type":"error"},
  {"inputs":[{"name":"incident","type":"uint256"}],"name":"appeal","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"incident","type":"uint256"}],"name":"claim","outputs":[{"name":"assets","type":"uint256"}],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[],"name":"endPause","outputs":[],"stateMutability":"nonpayable","type":"function"},
] as const;
