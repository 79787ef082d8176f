import { createRouter, createWebHistory } from 'vue-router'
import SearchPage from './pages/SearchPage.vue'

const afterLayout = (): Promise<void> => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'search', component: SearchPage },
    { path: '/picture/:id(\\d+)', name: 'picture', component: () => import('./pages/PicturePage.vue') },
    { path: '/crawl', name: 'crawl', component: () => import('./pages/CrawlPage.vue') },
    { path: '/shops', name: 'shops', component: () => import('./pages/ShopsPage.vue') },
    { path: '/copies', name: 'copies', component: () => import('./pages/CopiesPage.vue') },
    { path: '/:rest(.*)', name: 'missing', component: () => import('./pages/NotFoundPage.vue') },
  ],
  async scrollBehavior(to, from, saved) {
    // Results are kept, so going back finds the page as tall as it was once the rows are laid out.
    await afterLayout()
    if (saved) return saved
    return to.path === from.path && to.fullPath === from.fullPath ? false : { top: 0 }
  },
})
