import{b as a,c as b,d as c,e as d,f as e}from"./shared-YPRILPOF.js";import"./shared-F3J5QR43.js";export{e as encodeToCurve,d as hashToCurve,b as schnorr,a as secp256k1,c as secp256k1_hasher};
