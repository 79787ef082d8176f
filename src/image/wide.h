#pragma once
// Loops over pixels are compiled twice, for plain x86-64 and for AVX2, and the machine's one is chosen when the program starts. Without
// fused multiplication, so both give the same bits. Sanitizers instrument one only.

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(MAGPIE_FUZZING)
#define MAGPIE_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define MAGPIE_WIDE
#endif
