import{R as r}from"./shared-ST2QQ4R6.js";import"./shared-YPRILPOF.js";import"./shared-5MUXQZ6J.js";import"./shared-F3J5QR43.js";r(()=>{});
