import{Q as r}from"./shared-FUZLHH2F.js";import"./shared-YPRILPOF.js";import"./shared-5MUXQZ6J.js";import"./shared-F3J5QR43.js";r(()=>{});
