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
 *
 * IrInsn.type is the type of the result, but of the operands (a) when the result is a comparison's (setcond,
 * fcmp) or there is none. An i32 constant is its 32 bits zero-extended; `imm` alone is sign-extended for i64.
 */

/* Values. const: imm, or consts[imm] when aux is 1. get, put: imm is the index in Isa.gvars. */
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
OP(fmin,     "f=ff r",   FP)              /* IEEE 754-2019 minimumNumber; -0 < +0 */
OP(fmax,     "f=ff r",   FP)
OP(fcmp,     "j=ff x",   FP)              /* aux: FpCond; result i32, 0 or 1 */
OP(fcvt,     "f=g r",    FP)              /* float to float; type is the result's */
OP(ftoi,     "i=g rx",   FP)              /* imm bit 0: unsigned result; saturates, NaN: see FpAux */
OP(itof,     "f=j rx",   FP)              /* imm bit 0: unsigned operand */
OP(getflags, "i=",       FP)              /* i32: the sticky FpFlags of tcg/fp.h */
OP(setflags, "=i",       FP)              /* i32 */
OP(fneg,     "f=f",      PURE)
OP(fabs,     "f=f",      PURE)
OP(fsgnj,    "f=ff x",   PURE)            /* b's sign on a; aux 0: as is, 1: negated, 2: exclusive or */
OP(fbits,    "j=g",      PURE)            /* the bits of f32 as i32, of f64 as i64 */
OP(bitsf,    "g=j",      PURE)            /* and back; type is the result's */
OP(fbox,     "f=g",      PURE)            /* f32 into an f64 register, upper half ones */
OP(funbox,   "f=g",      PURE)            /* and out: the default NaN unless the upper half is ones */

/* Control. pc values are guest virtual. */
OP(insn,     "= #x",     NOTHING)         /* a guest instruction starts: imm = pc - block pc, aux = length */
OP(label,    "= #",      BARRIER)         /* imm: number; forward target; no value lives across it */
OP(brcond,   "=ii #c",   BARRIER)         /* to label imm when a cond b */
OP(br,       "= #",      BARRIER)
OP(goto,     "= #x",     ENDS)            /* to exits[imm].pc; aux: GotoFlags */
OP(gotocond, "=ii #cx",  READS_GVAR)      /* side exit to exits[imm].pc when a cond b; else goes on */
OP(gotoval,  "=j x",     ENDS)            /* to the pc in a, by the jump cache; aux: JumpKind */
OP(exit,     "=j #",     ENDS)            /* to the CPU loop, imm: ExitReason, with pc = a */
OP(call,     "*=*** #",  CALLS)           /* helpers[imm](env, a, b, c); its flags say what it touches */
