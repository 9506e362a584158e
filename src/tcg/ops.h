/*
 * The one list of IR operations. The enum, the builder's checks, the printer, the parser of tests, the
 * verifier and the interpreter are all made from it.
 *
 * OP(name, signature, effects)
 *
 * signature: result '=' operands, then what the other fields carry. One letter an operand:
 *   i  integer of the operation's type      j  integer, any type (its own is in IrBlock.types)
 *   f  float of the operation's type        g  float, any type
 *   v  v128                                 a  guest address, i32 or i64
 * and after a blank, which fields hold plain numbers:
 *   #  imm        c  aux is an IrCond       m  aux is a MemOp        r  aux is an FpAux      x  aux, see the op
 *   l  aux is a lane: IrLane
 *
 * IrInsn.type is the type of the result, but of the operands (a) when the result is a comparison's (setcond,
 * fcmp) or there is none. An i32 constant is its 32 bits zero-extended; `imm` alone is sign-extended for i64.
 */

/* Values. const: consts[imm]; these are apart, behind IR_CONSTS. get, put: imm is the index in Isa.gvars. */
OP(const,    "i= #x",    PURE)
OP(fconst,   "f= #x",    PURE)
OP(get,      "*= #",     READS_GVAR)
OP(put,      "=* #",     WRITES_GVAR)
OP(ldenv,    "i= #m",    READS_ENV)       /* imm: byte offset from CpuEnv; aux: width, sign */
OP(stenv,    "=i #m",    WRITES_ENV)

/* Integers. A result of type i32 is zero in the upper half of its host register. */
OP(add,      "i=ii",     PURE | COMMUTES)
OP(sub,      "i=ii",     PURE)
OP(neg,      "i=i",      PURE)
OP(and,      "i=ii",     PURE | COMMUTES)
OP(or,       "i=ii",     PURE | COMMUTES)
OP(xor,      "i=ii",     PURE | COMMUTES)
OP(not,      "i=i",      PURE)
OP(andn,     "i=ii",     PURE)            /* a & ~b */
OP(orn,      "i=ii",     PURE)            /* a | ~b */
OP(mul,      "i=ii",     PURE | COMMUTES)
OP(mulhs,    "i=ii",     PURE | COMMUTES) /* upper half of the signed product */
OP(mulhu,    "i=ii",     PURE | COMMUTES)
OP(mulhsu,   "i=ii",     PURE)            /* a signed, b unsigned */
OP(divs,     "i=ii x",   PURE)            /* aux: DivRule */
OP(divu,     "i=ii x",   PURE)
OP(rems,     "i=ii x",   PURE)
OP(remu,     "i=ii x",   PURE)
OP(shl,      "i=ii",     PURE)            /* the count is taken modulo the width */
OP(shr,      "i=ii",     PURE)
OP(sar,      "i=ii",     PURE)
OP(rotl,     "i=ii",     PURE)
OP(rotr,     "i=ii",     PURE)
OP(ext,      "i=i #",    PURE)            /* imm: lsb | length << 8; zero-extended bit field */
OP(sext,     "i=i #",    PURE)            /* imm: lsb | length << 8; sign-extended bit field */
OP(dep,      "i=ii #",   PURE)            /* b's low bits into a at imm: lsb | length << 8 */
OP(zext32,   "i=j",      PURE)            /* i32 to i64 */
OP(trunc32,  "i=j",      PURE)            /* i64 to i32 */
OP(bswap,    "i=i #",    PURE)            /* imm: bytes in each group reversed: 2, 4 or 8 */
OP(clz,      "i=i",      PURE)            /* of zero: the width */
OP(ctz,      "i=i",      PURE)
OP(popcnt,   "i=i",      PURE)
OP(orcb,     "i=i",      PURE)            /* each byte: 0xff if any bit of it is set, else 0 */
OP(smin,     "i=ii",     PURE | COMMUTES)
OP(smax,     "i=ii",     PURE | COMMUTES)
OP(umin,     "i=ii",     PURE | COMMUTES)
OP(umax,     "i=ii",     PURE | COMMUTES)
OP(setcond,  "j=ii c",   PURE)            /* type is that of the operands; the result is i32, 0 or 1 */
OP(select,   "i=jii",    PURE)            /* a (of any integer type) not 0: b, else c */

/* Guest memory at a + imm (imm wraps in the address's type). Order and alignment are in the MemOp. */
OP(load,     "i=a #m",   READS_MEM | MAY_FAULT)
OP(store,    "=ai #m",   WRITES_MEM | MAY_FAULT)
OP(fload,    "f=a #m",   READS_MEM | MAY_FAULT)
OP(fstore,   "=af #m",   WRITES_MEM | MAY_FAULT)
OP(vload,    "v=a #m",   READS_MEM | MAY_FAULT)
OP(vstore,   "=av #m",   WRITES_MEM | MAY_FAULT)
/* The same in the CPU's other data context: with the rights of another privilege (IsaContext.other_space). */
OP(loadas,   "i=a #m",   READS_MEM | MAY_FAULT)
OP(storeas,  "=ai #m",   WRITES_MEM | MAY_FAULT)
OP(rmw,      "i=ai #m",  READS_MEM | WRITES_MEM | MAY_FAULT)    /* imm: RmwKind; gives the old value */
OP(cas,      "i=aii m",  READS_MEM | WRITES_MEM | MAY_FAULT)    /* b expected, c new; gives the old */
OP(fence,    "= #",      READS_MEM | WRITES_MEM)                /* imm: FenceKind bits */

/* Floating point. Results and flags are exact; FpAux carries rounding and the NaN rule. */
OP(fadd,     "f=ff r",   FP | COMMUTES)
OP(fsub,     "f=ff r",   FP)
OP(fmul,     "f=ff r",   FP | COMMUTES)
OP(fdiv,     "f=ff r",   FP)
OP(fsqrt,    "f=f r",    FP)
OP(fmadd,    "f=fff r",  FP)              /* a * b + c, rounded once */
OP(fmsub,    "f=fff r",  FP)              /* a * b - c */
OP(fnmadd,   "f=fff r",  FP)              /* -(a * b) - c */
OP(fnmsub,   "f=fff r",  FP)              /* -(a * b) + c */
OP(fmin,     "f=ff r#",  FP)              /* imm: FpMin; -0 < +0 */
OP(fmax,     "f=ff r#",  FP)
OP(fround,   "f=f r#",   FP)              /* to an integer in the same type; imm 1: raises inexact */
OP(fcmp,     "j=ff x",   FP)              /* aux: FpCond; result i32, 0 or 1 */
OP(forder,   "j=ff x",   FP)              /* i32, FpOrder; aux: FP_SIGNALLING, or 0, and FP_FLUSH */
OP(fcvt,     "f=g r",    FP)              /* float to float; type is the result's */
OP(ftoi,     "i=g rx",   FP)              /* imm bit 0: unsigned result; saturates, NaN: see FpAux */
OP(itof,     "f=j rx",   FP)              /* imm bit 0: unsigned operand */
OP(htof,     "f=j r",    FP)              /* f16 in the low bits of an i32 */
OP(ftoh,     "i=g r",    FP)              /* i32, upper half 0 */
OP(getflags, "i=",       FP)              /* i32: the sticky FpFlags of tcg/fp.h */
OP(setflags, "=i",       FP)              /* i32 */
OP(fneg,     "f=f",      PURE)
OP(fabs,     "f=f",      PURE)
OP(fsgnj,    "f=ff x",   PURE)            /* b's sign on a; aux 0: as is, 1: negated, 2: exclusive or */
OP(fbits,    "j=g",      PURE)            /* the bits of f32 as i32, of f64 as i64 */
OP(bitsf,    "g=j",      PURE)            /* and back; type is the result's */
OP(fbox,     "f=g",      PURE)            /* f32 into an f64 register, upper half ones */
OP(funbox,   "f=g",      PURE)            /* and out: the default NaN unless the upper half is ones */

/*
 * Vectors: tcg/vec.h says what each means, lane by lane. The lane is in aux (IrLane), or of floats in imm
 * (IrVecFloat); lane 0 is the lowest. What is said to be zero is zero in all its bits.
 */
OP(vconst,   "v= #",     PURE)            /* consts[imm] is the lower half, consts[imm + 1] the upper */
OP(vfromf,   "v=g",      PURE | VEC)      /* a in lane 0, the rest zero */
OP(vtof,     "f=v l#",   PURE | VEC)      /* lane imm; aux: the size of the type */
OP(vlow,     "v=v #",    PURE | VEC)      /* the low imm bytes, the rest zero */
OP(vdup,     "v=j l",    PURE | VEC)      /* the low bits of an integer in every lane */
OP(vduplane, "v=v l#",   PURE | VEC)      /* lane imm in every lane */
OP(vget,     "i=v l#",   PURE | VEC)      /* lane imm, extended as LANE_SIGNED says */
OP(vset,     "v=vj l#",  PURE | VEC)      /* a, but lane imm is b's low bits */
OP(vins,     "v=vv l#",  PURE | VEC)      /* a, but lane imm & 15 is lane imm >> 4 of b */

OP(vand,     "v=vv",     PURE | COMMUTES | VEC)
OP(vor,      "v=vv",     PURE | COMMUTES | VEC)
OP(vxor,     "v=vv",     PURE | COMMUTES | VEC)
OP(vandn,    "v=vv",     PURE | VEC)      /* a & ~b */
OP(vorn,     "v=vv",     PURE | VEC)      /* a | ~b */
OP(vnot,     "v=v",      PURE | VEC)
OP(vselect,  "v=vvv",    PURE | VEC)      /* each bit: b's where a's is set, else c's */

OP(vadd,     "v=vv l",   PURE | COMMUTES | VEC)
OP(vsub,     "v=vv l",   PURE | VEC)
OP(vneg,     "v=v l",    PURE | VEC)
OP(vabs,     "v=v l",    PURE | VEC)      /* of the least value: itself */
OP(vmul,     "v=vv l",   PURE | COMMUTES | VEC)
OP(vsmin,    "v=vv l",   PURE | COMMUTES | VEC)
OP(vsmax,    "v=vv l",   PURE | COMMUTES | VEC)
OP(vumin,    "v=vv l",   PURE | COMMUTES | VEC)
OP(vumax,    "v=vv l",   PURE | COMMUTES | VEC)
OP(vhadd,    "v=vv l",   PURE | COMMUTES | VEC) /* half of the sum, down (LANE_ROUND: up); LANE_SIGNED */
OP(vhsub,    "v=vv l",   PURE | VEC)
OP(vaddsat,  "v=vv l",   PURE | COMMUTES | VEC) /* saturates; LANE_SIGNED */
OP(vsubsat,  "v=vv l",   PURE | VEC)
OP(vmulhsat, "v=vv l",   PURE | COMMUTES | VEC) /* upper half of 2ab, saturates; signed; LANE_ROUND */

/* Shifts by a number: imm from 0 to the lane's bits; right shifts may round (half of the lowest bit added). */
OP(vshl,     "v=v l#",   PURE | VEC)
OP(vshr,     "v=v l#",   PURE | VEC)      /* LANE_SIGNED, LANE_ROUND */
/* By the low byte of each lane of b, as a signed number: left, or right when negative. */
OP(vshift,   "v=vv l",   PURE | VEC)      /* LANE_SIGNED, LANE_ROUND (right), LANE_SAT (left), LANE_UNSIGN */

OP(vcmp,     "v=vv l#",  PURE | VEC)      /* imm: IrCond; all ones or zero */
OP(vtest,    "v=vv l",   PURE | COMMUTES | VEC) /* the same, of (a & b) != 0 */

OP(vclz,     "v=v l",    PURE | VEC)
OP(vcls,     "v=v l",    PURE | VEC)      /* copies of the sign bit that follow it */
OP(vpopcnt,  "v=v l",    PURE | VEC)
OP(vbitrev,  "v=v l",    PURE | VEC)      /* the bits of each lane reversed */
OP(vrev,     "v=v l#",   PURE | VEC)      /* lanes reversed in groups of imm bytes */

/* Lanes of the low half, or with LANE_HIGH of the upper half, made twice as wide; LANE_SIGNED. */
OP(vwiden,   "v=v l",    PURE | VEC)
OP(vmulwide, "v=vv l",   PURE | COMMUTES | VEC)
OP(vclmul,   "v=vv l",   PURE | COMMUTES | VEC) /* carry-less, 8-bit lanes to 16 or 64 to 128; LANE_HIGH */
/* Lanes of a, then those of b, cut to half; LANE_SAT: of LANE_SIGNED, to LANE_UNSIGN. aux is the wide lane */
OP(vnarrow,  "v=vv l",   PURE | VEC)

OP(vext,     "v=vv #",   PURE | VEC)      /* 16 bytes from byte imm on of a, then b; imm 0 to 15 */
OP(vziplo,   "v=vv l",   PURE | VEC)      /* lanes of the low halves in turn */
OP(vziphi,   "v=vv l",   PURE | VEC)
OP(veven,    "v=vv l",   PURE | VEC)      /* even lanes of a, then of b */
OP(vodd,     "v=vv l",   PURE | VEC)
OP(vtrneven, "v=vv l",   PURE | VEC)      /* a's even lanes, b's even lanes in the odd places */
OP(vtrnodd,  "v=vv l",   PURE | VEC)      /* a's odd lanes in the even places, b's odd lanes */
OP(vtable,   "v=vvv #",  PURE | VEC)      /* byte a[b - imm] where b - imm is 0 to 15, else c's; b: bytes */

/* Over the lanes of the low imm bytes (8 or 16): the result in lane 0, the rest zero. */
OP(vsum,     "v=v l#",   PURE | VEC)
OP(vminall,  "v=v l#",   PURE | VEC)      /* LANE_SIGNED */
OP(vmaxall,  "v=v l#",   PURE | VEC)

OP(vdot,     "v=vvv l",  PURE | VEC)      /* 32 bits: a + 4 products of bytes; LANE_SIGNED b, LANE_UNSIGN c */
OP(vaesbox,  "v=v x",    PURE | VEC)      /* AES: SubBytes and ShiftRows; aux 1: their inverse */
OP(vaesmix,  "v=v x",    PURE | VEC)      /* MixColumns; aux 1: its inverse */
/* Four rounds of a hash; c: words of the schedule, constants added. Word A of the state is in lane 0. */
OP(vsha1,    "v=vvv x",  PURE | VEC)      /* a: A to D, b: E; aux 0: Ch, 1: Parity, 2: Maj; gives A to D */
OP(vsha256,  "v=vvv x",  PURE | VEC)      /* a: A to D, b: E to H; gives A to D, aux 1: E to H */

/* Floats: aux as of the scalar operation, lane and more in imm (IrVecFloat). */
OP(vfadd,    "v=vv r#",  FP | COMMUTES | VEC)
OP(vfsub,    "v=vv r#",  FP | VEC)
OP(vfmul,    "v=vv r#",  FP | COMMUTES | VEC)
OP(vfdiv,    "v=vv r#",  FP | VEC)
OP(vfsqrt,   "v=v r#",   FP | VEC)
OP(vfmadd,   "v=vvv r#", FP | VEC)        /* a * b + c, rounded once */
OP(vfnmsub,  "v=vvv r#", FP | VEC)        /* -(a * b) + c */
OP(vfmin,    "v=vv r#",  FP | VEC)        /* FpMin << VF_MORE */
OP(vfmax,    "v=vv r#",  FP | VEC)
OP(vfround,  "v=v r#",   FP | VEC)        /* 1 << VF_MORE: raises inexact */
OP(vfcmp,    "v=vv r#",  FP | VEC)        /* FpCond << VF_MORE; all ones or zero */
OP(vftoi,    "v=v r#",   FP | VEC)        /* 1 << VF_MORE: unsigned */
OP(vitof,    "v=v r#",   FP | VEC)        /* 1 << VF_MORE: unsigned */
OP(vfwiden,  "v=v r#",   FP | VEC)        /* from lanes of imm to twice as wide; 1 << VF_MORE: upper half */
OP(vfnarrow, "v=vv r#",  FP | VEC)        /* from lanes of imm to half as wide: of a, then of b */

/* Control. pc values are guest virtual. */
OP(label,    "= #",      BARRIER)         /* imm: number; forward target; no value but constants lives across it */
OP(brcond,   "=ii #c",   BARRIER)         /* to label imm when a cond b */
OP(br,       "= #",      BARRIER)
OP(goto,     "= #x",     ENDS)            /* to exits[imm].pc; aux: GotoFlags */
OP(gotocond, "=ii #cx",  READS_GVAR)      /* side exit to exits[imm].pc when a cond b; else goes on */
OP(gotoval,  "=j x",     ENDS)            /* to the pc in a, by the jump cache; aux: JumpKind */
OP(exit,     "=j #",     ENDS)            /* to the CPU loop, imm: ExitReason, with pc = a */
OP(call,     "*=*** #",  CALLS)           /* helpers[imm](env, a, b, c); its flags say what it touches */
