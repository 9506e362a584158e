/* Files that must not stay behind when a command is interrupted by a signal. */
#ifndef CLI_IMG_LITTER_H
#define CLI_IMG_LITTER_H

/* Until litter_keep() of the same text, which must stay where it is, a signal removes the file. */
void litter_add(const char *path);
void litter_keep(const char *path);

#endif
