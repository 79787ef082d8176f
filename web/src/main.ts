import { createApp } from 'vue'
import App from './App.vue'
import { i18n, preferredLanguage, useLanguage } from './i18n'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'
import './styles/colours.css'

await useLanguage(preferredLanguage())
createApp(App).use(i18n).use(router).mount('#app')
