import{a as r}from"./shared-5AY742DS.js";import"./shared-YPRILPOF.js";import"./shared-BZ7KEFPJ.js";import"./shared-F3J5QR43.js";r(()=>{});
