import{w as r}from"./shared-I5UOPZ7C.js";import"./shared-YPRILPOF.js";import"./shared-B4Q4RRPZ.js";import"./shared-F3J5QR43.js";r(()=>{});
