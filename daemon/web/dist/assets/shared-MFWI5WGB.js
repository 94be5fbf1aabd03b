import{$ as c,Z as a,_ as b,aa as d}from"./shared-5MUXQZ6J.js";import"./shared-F3J5QR43.js";export{d as ccipRequest,c as offchainLookup,b as offchainLookupAbiItem,a as offchainLookupSignature};
