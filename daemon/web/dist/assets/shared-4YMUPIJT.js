import{$ as a,aa as b,ba as c,ca as d}from"./shared-LLKKJ42Y.js";import"./shared-BPXPDKRY.js";export{d as ccipRequest,c as offchainLookup,b as offchainLookupAbiItem,a as offchainLookupSignature};
