import{z as e}from"./shared-GOG6KFD4.js";import"./shared-YPRILPOF.js";import"./shared-B4Q4RRPZ.js";import"./shared-F3J5QR43.js";e(()=>{},"chess");
