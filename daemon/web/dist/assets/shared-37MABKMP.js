import{va as a,wa as b,xa as c,ya as d}from"./shared-BZ7KEFPJ.js";import"./shared-F3J5QR43.js";export{d as ccipRequest,c as offchainLookup,b as offchainLookupAbiItem,a as offchainLookupSignature};
