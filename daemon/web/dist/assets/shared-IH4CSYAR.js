import{$ as a,aa as b,ba as c,ca as d}from"./shared-NE3WWB75.js";import"./shared-F3J5QR43.js";export{d as ccipRequest,c as offchainLookup,b as offchainLookupAbiItem,a as offchainLookupSignature};
