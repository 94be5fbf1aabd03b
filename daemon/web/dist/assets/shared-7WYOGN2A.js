import{Ua as a,Va as b,Wa as c,Xa as d}from"./shared-B4Q4RRPZ.js";import"./shared-F3J5QR43.js";export{d as ccipRequest,c as offchainLookup,b as offchainLookupAbiItem,a as offchainLookupSignature};
