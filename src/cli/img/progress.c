#include <stdio.h>

#include "cli/img/img.h"

enum { WIDTH = 50 };

void img_progress(ImgProgress *progress, uint64_t done)
{
    static const char bar[] = "##################################################";
    unsigned percent = progress->total ? done * 100 / progress->total : 100;

    G_STATIC_ASSERT(sizeof(bar) == WIDTH + 1);
    if (progress->show && (percent != progress->percent || !progress->any)) {
        progress->percent = percent;
        progress->any = true;
        fprintf(stderr, "\r[%-*.*s] %3u %%", WIDTH, (int)percent * WIDTH / 100, bar, percent);
    }
}

void img_progress_end(ImgProgress *progress)
{
    if (progress->show) {
        img_progress(progress, progress->total);
        fputc('\n', stderr);
    }
}
